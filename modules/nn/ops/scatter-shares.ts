// Adds rows by index: what each position of a map receives from the queries that read it. TensorFlow.js adds by index
// only by sorting or with one-hot products; the recording engine has a kernel for it.
import * as tf from '../../../registry/tf.js';
import { OPERATIONS, type TensorsOf } from '../../../registry/contracts/operations.js';
import { defineOp } from './op.js';

const op = defineOp(OPERATIONS.ScatterShares, {
  composite({ shares, rows, index }, { count }) {
    const [groups, n, k] = shares.shape;
    const columns = rows.shape[2];
    const starts = tf.range(0, groups * count, count, 'int32').reshape([groups, 1, 1]);
    const spread = shares
      .expandDims(3)
      .mul(rows.expandDims(2))
      .reshape([groups * n * k, columns]);
    const positions = index.add(starts).reshape([-1]) as tf.Tensor1D;
    return tf.unsortedSegmentSum(spread, positions, groups * count).reshape([groups, count, columns]);
  },
  // It is the last operation of a gradient and is not differentiated itself.
  gradient: () => ({}),
});

/**
 * @param inputs shares [groups, n, k]; rows [groups, n, columns]; index int32 [groups, n, k], each in [0, count)
 * @returns `[groups, count, columns]`: out[g, index[g, i, j]] += shares[g, i, j] rows[g, i]
 */
export function scatterShares(
  inputs: TensorsOf<typeof OPERATIONS.ScatterShares>,
  count: number,
): tf.Tensor3D {
  return op(inputs, { count })[0] as tf.Tensor3D;
}
