// The scale-invariant error of depths in the logarithm: the mean square of d = log p - log y, less a share of the square
// of its mean. With share 1 a common factor on all depths costs nothing.
import * as tf from '../../registry/tf.js';
import {
  component,
  Configured,
  defineOptions,
  IGNORE,
  type Loss,
  type LossValue,
  type OptionsOf,
} from '../../registry/index.js';

const schema = defineOptions({
  share: {
    type: 'number',
    minimum: 0,
    maximum: 1,
    default: 0.5,
    description:
      'Lambda: how much of a common factor is forgiven. 0.5 in Eigen et al., 0.85 in BTS and AdaBins.',
  },
  root: {
    type: ['number', 'null'],
    exclusiveMinimum: 0,
    default: null,
    description:
      'The square root of the error, times this number (10 in BTS and AdaBins); null: the error itself.',
  },
  nearest: {
    type: 'number',
    exclusiveMinimum: 0,
    default: 0.1,
    description: 'Predictions below this depth (metres) are taken on the tangent of the logarithm there.',
  },
  max_depth: {
    type: ['number', 'null'],
    exclusiveMinimum: 0,
    default: null,
    description: 'Labels from this depth on (metres) are left out; null keeps all.',
  },
});

@component({
  kind: 'loss',
  name: 'silog_depth',
  summary: 'Scale-invariant error of log depths over the labelled pixels of the batch.',
  source: 'Eigen et al. 2014, Eq 4; Lee et al. 2019 (BTS), Eq 3',
  tasks: ['depth'],
  options: schema,
  file: import.meta.url,
})
export class ScaleInvariantDepthLoss extends Configured<OptionsOf<typeof schema>> implements Loss {
  forward(prediction: tf.Tensor4D, label: tf.Tensor): LossValue {
    const { share, root, max_depth } = this.options;
    const inRange = tf.less(label, max_depth ?? IGNORE);
    // A depth of 0 has no logarithm and is none.
    const mask = tf.logicalAnd(inRange, tf.greater(label, 0)).cast('float32');
    // 1 stands for what does not count: its logarithm is 0.
    const truth = tf.where(tf.greater(mask, 0.5), label, tf.onesLike(label));
    const error = this.#log(prediction).sub(truth.log()).mul(mask);
    const valid = mask.sum() as tf.Scalar;
    const count = tf.maximum(valid, tf.scalar(1));
    const mean = error.sum().div(count);
    const value = error.square().sum().div(count).sub(mean.square().mul(share)) as tf.Scalar;
    if (root === null) return { value, valid };
    // Nothing to learn from has no root's infinite slope.
    return {
      value: tf.maximum(value, tf.scalar(1e-12)).sqrt().mul<tf.Scalar>(root).mul(tf.minimum(valid, 1)),
      valid,
    };
  }

  /** log p, continued below `nearest` by its tangent: a network may predict 0 or less, and has to find back. */
  #log(depth: tf.Tensor): tf.Tensor {
    const { nearest } = this.options;
    const tangent = depth.sub(nearest).div(nearest).add(Math.log(nearest));
    const logarithm = tf.maximum(depth, tf.scalar(nearest)).log();
    return tf.where(tf.less(depth, nearest), tangent, logarithm);
  }
}
