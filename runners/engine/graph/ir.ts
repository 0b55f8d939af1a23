// The intermediate representation of a recorded computation: a list of nodes in the order of recording. A node is an
// ONNX operator with attributes. Values are immutable and have a static type and shape. Emitting the same node twice
// returns the same value (common subexpressions), unless a salt makes the nodes different, for example when the
// backward pass computes a value a second time to save memory.

import { createHash } from 'node:crypto';

export type DType = 'float32' | 'int32' | 'int64' | 'bool';
export type Shape = readonly number[];

export type Attribute =
  { int: number } | { float: number } | { ints: readonly number[] } | { string: string };

export const int = (value: number): Attribute => ({ int: value });
export const float = (value: number): Attribute => ({ float: value });
export const ints = (value: readonly number[]): Attribute => ({ ints: value });
export const string = (value: string): Attribute => ({ string: value });

/** What is known at recording time: every element equal, or all elements. */
export type Constant = { splat: number } | { data: Float32Array | Int32Array | BigInt64Array | Uint8Array };

export interface Value {
  readonly id: number;
  readonly dtype: DType;
  readonly shape: Shape;
  /** The node that computes it; absent for inputs and constants. */
  readonly node?: Node;
  readonly constant?: Constant;
  /** The name of an input. */
  readonly input?: string;
}

export interface Node {
  readonly op: string;
  readonly domain: '' | 'com.microsoft';
  /** Changed by `Graph.rewire` only. */
  inputs: readonly (Value | null)[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly outputs: Value[];
  /** Where in the model it was recorded, for messages. */
  readonly label: string;
  /** Floating-point operations of what it stands for, where it gets there with fewer. */
  flops?: number;
}

export interface OutputType {
  dtype: DType;
  shape: Shape;
}

export const sizeOf = (shape: Shape): number => shape.reduce((product, n) => product * n, 1);
export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((n, axis) => n === b[axis]);

/** Operators of two operands in any order: the same node either way. */
const COMMUTATIVE = new Set(['Add', 'Mul', 'Max', 'Min', 'And', 'Or', 'Equal']);

export class Graph {
  readonly nodes: Node[] = [];
  readonly inputs: Value[] = [];
  /**
   * Set while recording: the dotted name of the layer at work. While it is empty, as in the backward pass, nodes
   * are named after the layer whose values they read.
   */
  label = '';
  #nextId = 0;
  #salt = '';
  readonly #known = new Map<string, Node>();
  readonly #constants = new Map<string, Value>();

  input(name: string, dtype: DType, shape: Shape): Value {
    const value: Value = { id: this.#nextId++, dtype, shape: [...shape], input: name };
    this.inputs.push(value);
    return value;
  }

  constant(dtype: DType, shape: Shape, constant: Constant): Value {
    const key = constantKey(dtype, shape, constant);
    const known = this.#constants.get(key);
    if (known) return known;
    const value: Value = { id: this.#nextId++, dtype, shape: [...shape], constant };
    this.#constants.set(key, value);
    return value;
  }

  emit(
    op: string,
    inputs: readonly (Value | null)[],
    attributes: Record<string, Attribute>,
    outputs: readonly OutputType[],
    domain: Node['domain'] = '',
  ): Value[] {
    const operands = inputs.map((value) => value?.id ?? '');
    if (COMMUTATIVE.has(op)) operands.sort();
    const key = `${domain}${op}|${operands.join(',')}|${JSON.stringify(attributes)}|${outputs.length}${this.#salt}`;
    const known = this.#known.get(key);
    if (known) return known.outputs;
    const label = this.label || inheritedLabel(inputs);
    const node: Node = { op, domain, inputs: [...inputs], attributes, outputs: [], label };
    for (const { dtype, shape } of outputs)
      node.outputs.push({ id: this.#nextId++, dtype, shape: [...shape], node });
    this.#known.set(key, node);
    this.nodes.push(node);
    return node.outputs;
  }

  /** The same operator once more, on other inputs; not in the graph until it is inserted. */
  copy(node: Node, inputs: readonly (Value | null)[]): Node {
    const copy: Node = { ...node, inputs, outputs: [] };
    for (const { dtype, shape } of node.outputs)
      copy.outputs.push({ id: this.#nextId++, dtype, shape, node: copy });
    return copy;
  }

  rewire(node: Node, inputs: readonly (Value | null)[]): void {
    node.inputs = inputs;
  }

  /** Puts nodes into the recorded order, each list before the node it is filed under. */
  insert(before: ReadonlyMap<Node, readonly Node[]>): void {
    const nodes = this.nodes.splice(0);
    for (const node of nodes) this.nodes.push(...(before.get(node) ?? []), node);
  }

  /** Nodes emitted by `body`, which read inputs and constants only, come before all others. */
  inFront(body: () => void): void {
    const before = this.nodes.length;
    body();
    this.nodes.unshift(...this.nodes.splice(before));
  }

  /** Nodes emitted by `body` are new even if the same ones exist already: recomputation. */
  recomputed<T>(salt: string, body: () => T): T {
    const outer = this.#salt;
    this.#salt = `${outer}|${salt}`;
    try {
      return body();
    } finally {
      this.#salt = outer;
    }
  }

  /**
   * The nodes that `outputs` depend on, in recorded order.
   * @param given values that are known already: what they depend on is left out
   */
  reachable(outputs: readonly Value[], given?: ReadonlyMap<Value, unknown>): Node[] {
    const wanted = new Set<Node>();
    const computing = (value: Value) => (given?.has(value) ? [] : (value.node ?? []));
    const stack = outputs.flatMap(computing);
    while (stack.length > 0) {
      const node = stack.pop()!;
      if (wanted.has(node)) continue;
      wanted.add(node);
      for (const input of node.inputs)
        if (input?.node && !given?.has(input) && !wanted.has(input.node)) stack.push(input.node);
    }
    return this.nodes.filter((node) => wanted.has(node));
  }
}

const GRADIENT = 'gradient of ';

/** The layer that recorded the latest of the inputs that come from the forward pass. */
function inheritedLabel(inputs: readonly (Value | null)[]): string {
  const labels = inputs
    .flatMap((value) => (value?.node?.label ? [{ id: value.id, label: value.node.label }] : []))
    .sort((a, b) => b.id - a.id)
    .map(({ label }) => label);
  const own = labels.find((label) => !label.startsWith(GRADIENT));
  return own ? GRADIENT + own : (labels[0] ?? '');
}

/** Equal constants share one value: masks and index tables come back in every layer. */
function constantKey(dtype: DType, shape: Shape, constant: Constant): string {
  const type = `${dtype}[${shape.join()}]`;
  if ('splat' in constant) return `${type}=${Object.is(constant.splat, -0) ? '-0' : constant.splat}`;
  // Shapes, axes and the like.
  if (constant.data instanceof BigInt64Array && constant.data.length <= 16)
    return `${type}:${constant.data.join()}`;
  const { buffer, byteOffset, byteLength } = constant.data;
  return `${type}#${createHash('sha1')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('base64')}`;
}

/** A shape with -1 as its largest extent, which follows from the number of elements. */
export function openShape(shape: Shape): Shape {
  const largest = Math.max(...shape);
  if (largest <= 1) return shape;
  const at = shape.indexOf(largest);
  return shape.map((n, axis) => (axis === at ? -1 : n));
}
