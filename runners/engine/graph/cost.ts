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

/**
 * Bytes of the values that are alive at a time when nodes run in this order, at their most: what is computed and
 * still needed, without inputs, outputs and constants, which lie elsewhere.
 */
export function peakBytesOf(nodes: readonly Node[], outputs: ReadonlySet<Value>): number {
  const storage = (value: Value): Value => {
    let at = value;
    while (at.node && VIEWS.has(at.node.op)) at = at.node.inputs[0]!;
    return at;
  };
  const lastUse = new Map<Value, number>();
  nodes.forEach((node, i) => {
    for (const value of [...node.inputs, ...node.outputs]) if (value?.node) lastUse.set(storage(value), i);
  });
  const freed = new Map<number, Value[]>();
  for (const [value, i] of lastUse) freed.set(i, [...(freed.get(i) ?? []), value]);
  const counts = (value: Value) => value.node !== undefined && !outputs.has(value);
  const bytes = (value: Value) => sizeOf(value.shape) * BYTES[value.dtype];
  let [alive, peak] = [0, 0];
  nodes.forEach((node, i) => {
    if (!VIEWS.has(node.op)) for (const value of node.outputs) if (counts(value)) alive += bytes(value);
    peak = Math.max(peak, alive);
    for (const value of freed.get(i) ?? []) if (counts(value)) alive -= bytes(value);
  });
  return peak;
}
