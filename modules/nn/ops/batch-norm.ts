// Batch normalisation with the batch's own statistics (Ioffe and Szegedy 2015), over all axes but the last.
import * as tf from '../../../registry/tf.js';
import { OPERATIONS } from '../../../registry/contracts/operations.js';
import { defineOp } from './op.js';

const op = defineOp(OPERATIONS.BatchNorm, {
  keep: ['mean', 'inverse'],
  composite({ x, gamma, beta }, { epsilon }) {
    const axes = outerAxes(x);
    const mean = x.mean(axes);
    const centered = x.sub(mean);
    const variance = centered.square().mean(axes);
    const inverse = tf.rsqrt(variance.add(epsilon));
    return [centered.mul(inverse.mul(gamma)).add(beta), mean, variance, inverse];
  },
  gradient([dy], { x, gamma }, { mean, inverse }) {
    // dx = gamma inverse (dy - mean(dy) - n mean(dy n)), n the normalised input. Its centred form is a value of the
    // forward pass; from x itself it would take one number a channel more, and differences of large numbers where
    // a mean is far from 0.
    const axes = outerAxes(x);
    const share = mean.size / x.size;
    const centered = x.sub(mean);
    const sum = dy.sum(axes);
    const along = dy.mul(centered).sum(axes).mul(inverse);
    return {
      x: () =>
        dy
          .sub(centered.mul(along.mul(inverse).mul(share)))
          .sub(sum.mul(share))
          .mul(inverse.mul(gamma)),
      gamma: () => along,
      beta: () => sum,
    };
  },
});

/** All axes but the last. */
const outerAxes = ({ rank }: tf.Tensor): number[] => Array.from({ length: rank - 1 }, (_, axis) => axis);

/**
 * @param x [..., channels]
 * @returns y like x; the batch's mean and biased variance, [channels], through which no gradient flows
 */
export function batchNormalize<R extends tf.Rank>(
  x: tf.Tensor<R>,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  epsilon: number,
): { y: tf.Tensor<R>; mean: tf.Tensor1D; variance: tf.Tensor1D } {
  const [y, mean, variance] = op({ x, gamma, beta }, { epsilon });
  return { y: y as tf.Tensor<R>, mean: mean as tf.Tensor1D, variance: variance as tf.Tensor1D };
}
