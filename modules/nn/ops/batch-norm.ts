// Batch normalisation with the batch's own statistics (Ioffe and Szegedy 2015), over all axes but the last.
import * as tf from '@tensorflow/tfjs';
import { defineOp } from './op.js';

interface Inputs extends Record<string, tf.Tensor> {
  x: tf.Tensor;
  gamma: tf.Tensor1D;
  beta: tf.Tensor1D;
}

const op = defineOp<Inputs, { epsilon: number }>(['x', 'gamma', 'beta'], {
  name: 'mtcp.BatchNorm',
  keep: [false, true, false, true],
  composite({ x, gamma, beta }, { epsilon }) {
    const axes = outerAxes(x);
    const mean = x.mean(axes);
    const centered = x.sub(mean);
    const variance = centered.square().mean(axes);
    const inverse = tf.rsqrt(variance.add(epsilon));
    return [centered.mul(inverse.mul(gamma)).add(beta), mean, variance, inverse];
  },
  gradient([dy], { x, gamma }, [mean, inverse]) {
    // dx = gamma inverse (dy - mean(dy) - n mean(dy n)), n the normalised input, written as a (dy - b x - c) with
    // one number per channel, so that the large arrays are touched as rarely as possible.
    const axes = outerAxes(x);
    const share = mean.size / x.size;
    const sum = dy.sum(axes);
    const along = dy.mul(x).sum(axes).sub(sum.mul(mean)).mul(inverse);
    return {
      x: () => {
        const b = along.mul(inverse).mul(share);
        const c = sum.mul(share).sub(b.mul(mean));
        return dy.sub(x.mul(b)).sub(c).mul(inverse.mul(gamma));
      },
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
