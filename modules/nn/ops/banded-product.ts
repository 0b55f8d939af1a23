// A constant matrix applied along the middle axis, for matrices whose rows have their few non-zero numbers next to
// each other, as those of an interpolation. The recording engine leaves most of the zeros out.
import * as tf from '../../../registry/tf.js';
import { OPERATIONS } from '../../../registry/contracts/operations.js';
import { defineOp } from './op.js';

const op = defineOp(OPERATIONS.BandedProduct, {
  composite: ({ x }, { matrix, to }) => tf.matMul(tf.tensor3d(matrix, [1, to, x.shape[1]]), x),
  gradient: ([dy], { x }, _, { matrix, to }) => ({
    x: () => bandedProduct(dy as tf.Tensor3D, transpose(matrix, to), x.shape[1]),
  }),
});

function transpose(matrix: Float32Array, rows: number): Float32Array {
  const columns = matrix.length / rows;
  return matrix.map((_, i) => matrix[(i % rows) * columns + Math.floor(i / rows)]);
}

/**
 * @param x [outer, from, inner]
 * @param matrix [to, from], row by row
 * @returns `[outer, to, inner]`: the matrix times each `[from, inner]`
 */
export function bandedProduct(x: tf.Tensor3D, matrix: Float32Array, to: number): tf.Tensor3D {
  return op({ x }, { matrix, to })[0] as tf.Tensor3D;
}
