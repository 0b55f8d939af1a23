// Cross entropy on hard pixels only (online hard example mining): those whose true class has a probability below a
// threshold, and at least a share of all.
//
// The share's boundary is the k-th largest error. It is found by halving an interval, because graphs have no sort: in
// 40 halvings the interval is as small as the numbers' own precision.
import * as tf from '../../registry/tf.js';
import {
  component,
  Configured,
  defineOptions,
  IGNORE,
  type Loss,
  type LossValue,
  type OptionsOf,
  type Task,
} from '../../registry/index.js';
import { crossEntropy } from '../nn/ops/cross-entropy.js';
import { detach } from '../nn/ops/detach.js';
import { averageOverValid } from './machinery/average.js';
import { classWeights, classWeightsProperty, pixelWeights } from './machinery/class-weights.js';

const schema = defineOptions({
  threshold: {
    type: 'number',
    exclusiveMinimum: 0,
    maximum: 1,
    default: 0.7,
    description: 'Pixels whose true class is less probable than this count.',
  },
  share: {
    type: 'number',
    exclusiveMinimum: 0,
    maximum: 1,
    default: 0.0625,
    description: 'Least share of the labelled pixels of a batch that count, the hardest ones.',
  },
  class_weights: classWeightsProperty,
});

const HALVINGS = 40;

@component({
  kind: 'loss',
  name: 'ohem_cross_entropy',
  summary: 'Cross entropy, mean over the hard pixels of the batch.',
  source:
    'Shrivastava et al. 2016 (OHEM); OhemCrossEntropy of HRNet-Semantic-Segmentation, with a share for min_kept',
  tasks: ['classes'],
  options: schema,
  file: import.meta.url,
})
export class OhemCrossEntropyLoss extends Configured<OptionsOf<typeof schema>> implements Loss {
  classWeights(task: Task) {
    return classWeights(this.options.class_weights, task);
  }

  forward(prediction: tf.Tensor4D, label: tf.Tensor, task: Task): LossValue {
    const flat = label.reshape([-1]) as tf.Tensor1D;
    const isKnown = tf.notEqual(flat, tf.scalar(IGNORE, 'int32'));
    const known = isKnown.cast('float32');
    const target = flat.mul(isKnown.cast('int32')) as tf.Tensor1D;
    const errors = crossEntropy(prediction.reshape([-1, prediction.shape[3]]), target);
    const { threshold, share, class_weights } = this.options;
    // Errors are never negative; -1 is below them all.
    const sizes = detach(errors).mul(known).add(known.sub(1)) as tf.Tensor1D;
    const kept = known.sum().mul(share).ceil() as tf.Scalar;
    const boundary = tf.minimum(largest(sizes, kept), tf.scalar(-Math.log(threshold)));
    const hard = tf.greaterEqual(sizes, boundary).cast('float32').mul(known);
    // As in HRNet's code, pixels are chosen by their probability alone, and their number is what is divided by.
    const weights = pixelWeights(class_weights, task, target);
    const weighted = weights ? errors.mul(weights) : errors;
    return { value: averageOverValid(weighted, hard).value, valid: known.sum() as tf.Scalar };
  }
}

/** The largest number that at least `count` of the sizes reach. */
function largest(sizes: tf.Tensor1D, count: tf.Scalar): tf.Scalar {
  let low: tf.Scalar = tf.scalar(0);
  let high = sizes.max() as tf.Scalar;
  for (let i = 0; i < HALVINGS; i++) {
    const middle = low.add<tf.Scalar>(high).div<tf.Scalar>(2);
    const enough = tf.greaterEqual(tf.greaterEqual(sizes, middle).cast('float32').sum(), count);
    [low, high] = [tf.where(enough, middle, low) as tf.Scalar, tf.where(enough, high, middle) as tf.Scalar];
  }
  return low;
}
