// Layer normalisation over the last axis (Ba et al. 2016).
import * as tf from '../../../registry/tf.js';
import { OPERATIONS } from '../../../registry/contracts/operations.js';
import { defineOp } from './op.js';

const op = defineOp(OPERATIONS.LayerNorm, {
  keep: ['mean', 'inverse'],
  composite({ x, gamma, beta }, { epsilon }) {
    const { mean, variance } = tf.moments(x, -1, true);
    const inverse = tf.rsqrt(variance.add(epsilon));
    return [x.sub(mean).mul(inverse).mul(gamma).add(beta), mean, inverse];
  },
  gradient([dy], { x, gamma }, { mean, inverse }) {
    // With n the normalised input and g = gamma dy:  dx = inverse (g - mean(g) - n mean(g n)).
    const normalized = x.sub(mean).mul(inverse);
    const along = dy.mul(normalized);
    const axes = x.shape.slice(0, -1).map((_, axis) => axis);
    return {
      x: () => {
        // The mean of g n is a product of dy n, which gamma's gradient has as well, with gamma.
        const rows = along.reshape([-1, gamma.size]) as tf.Tensor2D;
        const share = tf.matMul(rows, gamma.mul(1 / gamma.size).expandDims(1)).reshape(mean.shape);
        const g = dy.mul(gamma);
        return g.sub(g.mean(-1, true)).sub(normalized.mul(share)).mul(inverse);
      },
      gamma: () => along.sum(axes),
      beta: () => dy.sum(axes),
    };
  },
});

/** @param x [..., channels] */
export function layerNorm<R extends tf.Rank>(
  x: tf.Tensor<R>,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  epsilon = 1e-5,
): tf.Tensor<R> {
  return op({ x, gamma, beta }, { epsilon })[0] as tf.Tensor<R>;
}
