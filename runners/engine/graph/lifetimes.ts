// When the values of a graph are in memory, computed before it runs: the order in which onnxruntime computes, the
// last reader of each value, and the memory in use at a time. Inputs, outputs and constants are stored elsewhere and
// do not count.
import { sizeOf, type DType, type Node, type Value } from './ir.js';

const BYTES: Record<DType, number> = { float32: 4, int32: 4, int64: 8, bool: 1 };

export const bytesOf = (value: Value): number => sizeOf(value.shape) * BYTES[value.dtype];

/** Operators whose output is their input seen differently. */
const VIEWS = new Set(['Reshape', 'Identity']);

/** Whether a node computes nothing. */
export const isView = (node: Node): boolean => VIEWS.has(node.op);

/** The value whose memory `value` is a view of. */
export function storageOf(value: Value): Value {
  let at = value;
  while (at.node && isView(at.node)) at = at.node.inputs[0]!;
  return at;
}

/**
 * The order in which onnxruntime runs nodes that were written backwards (graph/onnx.ts): depth first towards the
 * inputs, starting from the nodes that nobody reads, earliest recorded first.
 */
export function executionOrder(nodes: readonly Node[]): Node[] {
  const place = new Map(nodes.map((node, i) => [node, i]));
  const sources = (node: Node) => new Set(node.inputs.flatMap((value) => value?.node ?? []));
  const read = new Set(nodes.flatMap((node) => [...sources(node)]));
  const order: Node[] = [];
  const seen = new Set<Node>();
  const stack = nodes
    .filter((node) => !read.has(node))
    .reverse()
    .map((node) => ({ node, done: false }));
  while (stack.length > 0) {
    const { node, done } = stack.pop()!;
    if (done) order.push(node);
    if (done || seen.has(node)) continue;
    seen.add(node);
    stack.push({ node, done: true });
    const latestFirst = [...sources(node)]
      .filter((source) => place.has(source) && !seen.has(source))
      .sort((a, b) => place.get(b)! - place.get(a)!);
    for (const source of latestFirst) stack.push({ node: source, done: false });
  }
  return order;
}

/** A value that is computed, from the time it is made to the time it is read last, itself or as a view. */
export interface Lifetime {
  born: number;
  last: number;
  /** Nodes that read it, in the order in which they run. */
  readers: Node[];
}

export class Lifetimes {
  readonly place: ReadonlyMap<Node, number>;
  readonly values = new Map<Value, Lifetime>();
  /** Most bytes alive at a time, and when that is. */
  readonly peak: number;
  readonly peakAt: number;

  constructor(nodes: readonly Node[], outputs: Iterable<Value>) {
    const order = executionOrder(nodes);
    this.place = new Map(order.map((node, at) => [node, at]));
    const bound = new Set([...outputs].map(storageOf));
    order.forEach((node, at) => {
      if (isView(node)) return;
      for (const value of node.outputs)
        if (!bound.has(value)) this.values.set(value, { born: at, last: at, readers: [] });
      for (const value of new Set(node.inputs.map((input) => input && storageOf(input)))) {
        const life = value && this.values.get(value);
        if (!life) continue;
        life.last = at;
        life.readers.push(node);
      }
    });
    const change = new Float64Array(order.length + 1);
    for (const [value, { born, last }] of this.values) {
      change[born] += bytesOf(value);
      change[last + 1] -= bytesOf(value);
    }
    let [alive, peak, peakAt] = [0, 0, 0];
    change.forEach((bytes, at) => {
      alive += bytes;
      if (alive > peak) [peak, peakAt] = [alive, at];
    });
    [this.peak, this.peakAt] = [peak, peakAt];
  }
}

/** Bytes of the values that are alive at a time, at their most. */
export const peakBytesOf = (nodes: readonly Node[], outputs: Iterable<Value>): number =>
  new Lifetimes(nodes, outputs).peak;

/** Bytes that operators write in a run. */
export const writtenBytesOf = (nodes: readonly Node[]): number =>
  nodes
    .filter((node) => !isView(node))
    .reduce((sum, { outputs }) => sum + outputs.reduce((bytes, value) => bytes + bytesOf(value), 0), 0);
