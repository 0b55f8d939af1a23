// The arithmetic cost of a graph, computed before it runs. For memory see lifetimes.ts.
import { sizeOf, type Node } from './ir.js';

/**
 * Floating-point operations of matrix products and convolutions, a multiply-add counting as two: what papers call
 * FLOPs. Everything else is bound by memory. Products with a constant matrix, which is how this engine resizes and
 * looks up, do not count.
 */
export function flopsOf(nodes: readonly Node[]): number {
  return nodes.reduce((sum, node) => sum + flopsOfNode(node), 0);
}

export function flopsOfNode({ op, inputs, outputs, attributes, flops }: Node): number {
  if (flops !== undefined) return flops;
  if (inputs.some((value) => value?.constant)) return 0;
  if (op === 'FusedMatMul' || op === 'MatMul') {
    const { shape } = inputs[0]!;
    const transposed = op === 'FusedMatMul' && 'int' in attributes.transA && attributes.transA.int === 1;
    return 2 * sizeOf(outputs[0].shape) * shape.at(transposed ? -2 : -1)!;
  }
  // Each output of a convolution is a product with a filter; of a transposed one, each input.
  if (op === 'Conv' || op === 'ConvTranspose') {
    const positions = op === 'Conv' ? outputs[0].shape : inputs[0]!.shape;
    return 2 * sizeOf(positions) * sizeOf(inputs[1]!.shape.slice(1));
  }
  return 0;
}
