// Rows added up by index: out[index[i]] += rows[i]. TensorFlow.js can only do it by sorting or with one-hot
// products; the recording engine has a kernel for it.
import * as tf from '@tensorflow/tfjs';
import { defineOp } from './op.js';

const op = defineOp<{ rows: tf.Tensor2D; index: tf.Tensor1D }, { count: number }>(['rows', 'index'], {
  name: 'mtcp.ScatterRows',
  composite: ({ rows, index }, { count }) => tf.unsortedSegmentSum(rows, index, count),
  gradient: ([dy], { index }) => ({ rows: () => tf.gather(dy as tf.Tensor2D, index, 0) }),
});

/**
 * @param rows [n, columns]
 * @param index int32 [n], each in [0, count)
 * @returns [count, columns]
 */
export function scatterRows(rows: tf.Tensor2D, index: tf.Tensor1D, count: number): tf.Tensor2D {
  return op({ rows, index }, { count })[0] as tf.Tensor2D;
}
