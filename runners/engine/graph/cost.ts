// What a graph costs, known before it runs: arithmetic, and the most memory its values take at a time.
import { sizeOf, type DType, type Node, type Value } from './ir.js';

const BYTES: Record<DType, number> = { float32: 4, int32: 4, int64: 8, bool: 1 };

/**
 * Floating-point operations of matrix products and convolutions, a multiply-add counting as two: what papers call
 * FLOPs. Everything else is bound by memory. Products with a constant matrix, which is how this engine resizes and
 * looks up, do not count.
 */
export function flopsOf(nodes: readonly Node[]): number {
  return nodes.reduce((sum, node) => sum + flopsOfNode(node), 0);
}

export function flopsOfNode({ op, inputs, outputs, attributes }: Node): number {
  if (inputs.some((value) => value?.constant)) return 0;
  if (op === 'FusedMatMul') {
    const { shape } = inputs[0]!;
    const transposed = 'int' in attributes.transA && attributes.transA.int === 1;
    return 2 * sizeOf(outputs[0].shape) * shape.at(transposed ? -2 : -1)!;
  }
  // Each output of a convolution is a product with a filter; of a transposed one, each input.
  if (op === 'Conv' || op === 'ConvTranspose') {
    const places = op === 'Conv' ? outputs[0].shape : inputs[0]!.shape;
    return 2 * sizeOf(places) * sizeOf(inputs[1]!.shape.slice(1));
  }
  return 0;
}

/** Operators whose output is their input seen differently. */
const VIEWS = new Set(['Reshape', 'Identity']);
/** Operators that may write over an input of the same size that nobody needs afterwards. */
const IN_PLACE = new Set(
  'Add Sub Mul Div Relu Sigmoid Tanh Exp Neg Sqrt Reciprocal Abs Erf Clip Floor Sign'.split(' '),
);

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

/**
 * Bytes that onnxruntime holds at a time for what nodes compute, at their most; inputs, outputs and constants lie
 * elsewhere. It plans buffers before it runs: a value gets a buffer of its own shape that is no longer needed, if
 * there is one, and until then such a buffer is held.
 */
export function peakBytesOf(nodes: readonly Node[], outputs: ReadonlySet<Value>): number {
  const order = executionOrder(nodes);
  const uses = new Map<Value, number>();
  for (const node of order) for (const value of node.inputs) if (value?.node) add(uses, storageOf(value), 1);

  const held: Buffer[] = [];
  const unused = new Map<string, Buffer[]>();
  const bufferOf = new Map<Value, Buffer>();
  const release = (value: Value, at: number) => {
    const buffer = bufferOf.get(value);
    if (!buffer) return;
    buffer.until = at;
    if (--buffer.values > 0) return;
    const kind = kindOf(value);
    unused.set(kind, [...(unused.get(kind) ?? []), buffer]);
  };
  order.forEach((node, at) => {
    if (!VIEWS.has(node.op))
      for (const value of node.outputs) {
        if (outputs.has(value)) continue;
        let buffer = writtenOver(node, value, uses, bufferOf) ?? unused.get(kindOf(value))?.pop();
        if (!buffer) held.push((buffer = { from: at, until: at, values: 0, bytes: bytesOf(value) }));
        buffer.values++;
        bufferOf.set(value, buffer);
        if (!uses.has(value)) release(value, at);
      }
    for (const value of node.inputs) {
      if (!value?.node) continue;
      const storage = storageOf(value);
      if (add(uses, storage, -1) === 0) release(storage, at);
    }
  });

  const change = new Float64Array(order.length + 1);
  for (const { from, until, bytes } of held) {
    change[from] += bytes;
    change[until + 1] -= bytes;
  }
  let [alive, peak] = [0, 0];
  for (const bytes of change) peak = Math.max(peak, (alive += bytes));
  return peak;
}

interface Buffer {
  from: number;
  until: number;
  /** How many values that are still needed it holds. */
  values: number;
  bytes: number;
}

function storageOf(value: Value): Value {
  let at = value;
  while (at.node && VIEWS.has(at.node.op)) at = at.node.inputs[0]!;
  return at;
}

function writtenOver(
  node: Node,
  output: Value,
  uses: ReadonlyMap<Value, number>,
  bufferOf: ReadonlyMap<Value, Buffer>,
): Buffer | undefined {
  if (!IN_PLACE.has(node.op)) return undefined;
  for (const value of node.inputs) {
    if (!value?.node) continue;
    const storage = storageOf(value);
    if (uses.get(storage) === 1 && bytesOf(storage) === bytesOf(output)) return bufferOf.get(storage);
  }
  return undefined;
}

const kindOf = (value: Value): string => `${value.dtype}[${value.shape.join()}]`;
const bytesOf = (value: Value): number => sizeOf(value.shape) * BYTES[value.dtype];

function add(counts: Map<Value, number>, value: Value, amount: number): number {
  const count = (counts.get(value) ?? 0) + amount;
  counts.set(value, count);
  return count;
}
