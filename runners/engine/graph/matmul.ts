// What a matrix product can absorb from the nodes before it: a transpose of the last two axes, a factor, and a reshape of
// the leading axes.
import { sameShape, type Shape, type Value } from './ir.js';
import { broadcast } from './broadcast.js';
import { beforeReshape } from './views.js';
import { splatOf } from './constants.js';

/** The shape of a product of stacks of matrices; `transA` and `transB` swap the last two axes of an operand. */
export function matmulShape(a: Shape, b: Shape, transA: boolean, transB: boolean): number[] {
  const rows = a.at(transA ? -1 : -2)!;
  const columns = b.at(transB ? -2 : -1)!;
  const [innerA, innerB] = [a.at(transA ? -2 : -1)!, b.at(transB ? -1 : -2)!];
  if (innerA !== innerB) throw new Error(`matmul of [${a.join()}] and [${b.join()}]: ${innerA} != ${innerB}`);
  return [...broadcast(a.slice(0, -2), b.slice(0, -2)), rows, columns];
}

/**
 * A stack of matrices before a reshape of its leading axes, if the other operand is a single matrix; otherwise the stack.
 * @param own number of last axes that the reshape must have left alone; 1 if the stack may be seen as one tall matrix
 */
export function beforeMatmul(stack: Value, other: Value, own: 1 | 2): Value {
  const { shape } = other;
  const source = beforeReshape(stack, shape.length === 2 ? own : 2);
  const isOne = shape.slice(0, -2).every((n) => n === 1) && shape.length <= source.shape.length;
  return isOne ? source : stack;
}

/** The operands of `value` * number; undefined for other values. A matrix product multiplies by a number for free. */
export function scaled(value: Value): { of: Value; by: number } | undefined {
  if (value.node?.op !== 'Mul') return undefined;
  const [a, b] = value.node.inputs as [Value, Value];
  const [x, y] = [splatOf(a), splatOf(b)];
  if (y !== undefined && sameShape(a.shape, value.shape)) return { of: a, by: y };
  if (x !== undefined && sameShape(b.shape, value.shape)) return { of: b, by: x };
  return undefined;
}

/** The permutation of a transpose; undefined for other values. */
export function permutationOf(value: Value): readonly number[] | undefined {
  const perm = value.node?.op === 'Transpose' ? value.node.attributes.perm : undefined;
  return perm && 'ints' in perm ? perm.ints : undefined;
}

/** Whether a value is a transpose that swaps the last two axes and leaves the others. */
export function swapsLastTwo(value: Value): boolean {
  const perm = permutationOf(value);
  if (!perm) return false;
  const last = perm.length - 1;
  return perm.every((axis, i) => axis === (i === last ? last - 1 : i === last - 1 ? last : i));
}
