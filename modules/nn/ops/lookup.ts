// Rows of a table by constant indices, with a gradient that is a matrix product instead of a scatter.
import * as tf from '@tensorflow/tfjs';
import { defineOp } from './op.js';

const op = defineOp<{ table: tf.Tensor2D; index: tf.Tensor1D; onehot: tf.Tensor2D }>(
  ['table', 'index', 'onehot'],
  {
    name: 'mtcp.Lookup',
    composite: ({ table, index }) => tf.gather(table, index, 0),
    gradient: ([dy], { onehot }) => ({ table: () => tf.matMul(onehot, dy as tf.Tensor2D, true, false) }),
  },
);

/**
 * @param table [rows, columns]
 * @param index which row each output takes
 * @returns [index.length, columns]
 */
export function lookup(table: tf.Tensor2D, index: Int32Array): tf.Tensor2D {
  const rows = table.shape[0];
  const onehot = new Float32Array(index.length * rows);
  index.forEach((row, i) => (onehot[i * rows + row] = 1));
  const inputs = {
    table,
    index: tf.tensor1d(index, 'int32'),
    onehot: tf.tensor2d(onehot, [index.length, rows]),
  };
  return op(inputs)[0] as tf.Tensor2D;
}
