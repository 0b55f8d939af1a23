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
    const rows = x.reshape([-1, x.shape[x.rank - 1]]);
    const mean = rows.mean(0);
    const centered = rows.sub(mean);
    const variance = centered.square().mean(0);
    const inverse = tf.rsqrt(variance.add(epsilon));
    const y = centered.mul(inverse.mul(gamma)).add(beta);
    return [y.reshape(x.shape), mean, variance, inverse];
  },
  gradient([dy], { x, gamma }, [mean, inverse]) {
    // dx = gamma inverse (dy - mean(dy) - n mean(dy n)), n the normalised input, written as a dy + b x + c
    // with one number per channel, so that the large arrays are touched as rarely as possible.
    const channels = x.shape[x.rank - 1];
    const [rows, upstream] = [x.reshape([-1, channels]), dy.reshape([-1, channels])];
    const count = rows.shape[0];
    const sum = upstream.sum(0);
    const along = upstream.mul(rows).sum(0).sub(sum.mul(mean)).mul(inverse);
    return {
      x: () => {
        const a = gamma.mul(inverse);
        const b = a.mul(inverse).mul(along).div(-count);
        const c = a.mul(sum).div(-count).sub(b.mul(mean));
        return upstream.mul(a).add(rows.mul(b)).add(c).reshape(x.shape);
      },
      gamma: () => along,
      beta: () => sum,
    };
  },
});

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
