// The learnt bias between the positions of a window by their relative position (Swin, Liu et al. 2021): a table with
// one row for each offset (down, across), read for every pair of positions. Reading is a gather; its gradient adds up
// all pairs with the same offset. Offsets along the two axes are independent, so that sum is taken one axis after
// the other, each a product with a small 0/1 matrix, instead of a scatter or a product with all offsets at once.
import * as tf from '../../../registry/tf.js';
import { OPERATIONS } from '../../../registry/contracts/operations.js';
import { defineOp } from './op.js';

/**
 * `index`: row of the table for each pair; `offsets`: 1 where a pair of positions along one axis has an offset,
 * [window * window, span].
 */
const op = defineOp(OPERATIONS.RelativePositions, {
  composite({ table, index }, { window }) {
    const tokens = window * window;
    return tf.gather(table, index, 0).transpose([1, 0]).reshape([table.shape[1], tokens, tokens]);
  },
  gradient: ([dy], { table, offsets }, _, { window }) => ({
    table: () => {
      const heads = table.shape[1];
      const [pairs, span] = offsets.shape;
      // [heads, y, x, y', x'] -> [heads, y y', x x']
      const byAxis = dy
        .reshape([heads, window, window, window, window])
        .transpose([0, 1, 3, 2, 4])
        .reshape([heads * pairs, pairs]) as tf.Tensor2D;
      const across = tf.matMul(byAxis, offsets).reshape([heads, pairs, span]);
      const both = tf.matMul(offsets.expandDims(0), across, true, false);
      return both.transpose([1, 2, 0]).reshape([span * span, heads]);
    },
  }),
});

/**
 * @param table [(2 window - 1)^2, heads], row (down * span + across) for offsets counted from -(window - 1)
 * @returns [heads, tokens, tokens], tokens = window^2 in rows
 */
export function relativePositions(table: tf.Tensor2D, window: number): tf.Tensor3D {
  const span = 2 * window - 1;
  const tokens = window * window;
  const index = new Int32Array(tokens * tokens);
  for (let i = 0; i < tokens; i++)
    for (let j = 0; j < tokens; j++) {
      const down = Math.floor(i / window) - Math.floor(j / window) + window - 1;
      const across = (i % window) - (j % window) + window - 1;
      index[i * tokens + j] = down * span + across;
    }
  const offsets = new Float32Array(tokens * span);
  for (let i = 0; i < window; i++)
    for (let j = 0; j < window; j++) offsets[(i * window + j) * span + (i - j + window - 1)] = 1;
  const inputs = {
    table,
    index: tf.tensor1d(index, 'int32'),
    offsets: tf.tensor2d(offsets, [tokens, span]),
  };
  return op(inputs, { window })[0] as tf.Tensor3D;
}
