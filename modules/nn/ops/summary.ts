// The maximum and the mean along some axes, which CBAM's gates use.
import * as tf from '../../../registry/tf.js';
import { OPERATIONS } from '../../../registry/contracts/operations.js';
import { defineOp } from './op.js';

const op = defineOp(OPERATIONS.Summary, {
  keep: ['maximum'],
  composite: ({ x }, { axes }) => [x.max(axes, true), x.mean(axes, true)],
  // One pass over x: each value gets its share of the mean, the largest the rest as well. Values that tie share
  // it, as in torch's amax. TensorFlow.js gives each of them all of it, which is no subgradient, and ties are
  // common: where softmax affinities saturate, many positions are copies of one.
  gradient: ([dMaximum, dMean], { x }, { maximum }, { axes }) => ({
    x: () => {
      const largest = tf.equal(x, maximum).cast('float32');
      const share = dMaximum.div(largest.sum(axes, true));
      const count = axes.reduce((product, axis) => product * x.shape[axis], 1);
      return largest.mul(share).add(dMean.mul(1 / count));
    },
  }),
});

/**
 * @param x any shape
 * @param axes counted from 0
 * @returns maximum and mean along the axes, which stay with length 1
 */
export function summary<T extends tf.Tensor>(x: T, axes: number[]): [T, T] {
  return op({ x }, { axes }) as [T, T];
}
