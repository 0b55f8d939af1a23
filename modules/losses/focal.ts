// The focal loss: cross entropy whose pixels count less the better they are predicted, by (1 - p)^gamma with p the
// probability of the true class.
import * as tf from '../../registry/tf.js';
import {
  component,
  Configured,
  defineOptions,
  IGNORE,
  kindOf,
  MtcpError,
  type Loss,
  type LossValue,
  type OptionsOf,
  type Task,
} from '../../registry/index.js';
import { crossEntropy } from '../nn/ops/cross-entropy.js';
import { averageOverValid } from './machinery/average.js';
import { classWeights, classWeightsProperty, pixelWeights } from './machinery/class-weights.js';

const schema = defineOptions({
  gamma: {
    type: 'number',
    minimum: 0,
    default: 2,
    description: 'How much less pixels count that are predicted well; 0 is cross entropy.',
  },
  alpha: {
    type: ['number', 'null'],
    minimum: 0,
    maximum: 1,
    default: null,
    description:
      'Binary tasks: weight of positive pixels, negative ones weigh 1 - alpha (0.25 in the paper); null: all weigh 1.',
  },
  class_weights: classWeightsProperty,
});

@component({
  kind: 'loss',
  name: 'focal',
  summary:
    'Cross entropy times (1 - p)^gamma, p the probability of the true class; mean over the labelled pixels.',
  source: 'Lin et al. 2017 (focal loss), Eq 4 and 5; torchvision.ops.sigmoid_focal_loss',
  tasks: ['classes', 'binary', 'boundary'],
  options: schema,
  file: import.meta.url,
})
export class FocalLoss extends Configured<OptionsOf<typeof schema>> implements Loss {
  classWeights(task: Task) {
    const { class_weights } = this.options;
    if (kindOf(task).batch === 'indices') return classWeights(class_weights, task);
    if (class_weights !== 'equal')
      throw new MtcpError('component', `loss focal: "${task.name}" has no classes to weigh`, {
        hint: 'leave class_weights out; alpha weighs positive pixels',
      });
    return undefined;
  }

  forward(prediction: tf.Tensor4D, label: tf.Tensor, task: Task): LossValue {
    return kindOf(task).batch === 'indices'
      ? this.#classes(prediction, label, task)
      : this.#binary(prediction, label, task);
  }

  #classes(prediction: tf.Tensor4D, label: tf.Tensor, task: Task): LossValue {
    const flat = label.reshape([-1]) as tf.Tensor1D;
    const known = tf.notEqual(flat, tf.scalar(IGNORE, 'int32'));
    const target = flat.mul(known.cast('int32')) as tf.Tensor1D;
    const errors = crossEntropy(prediction.reshape([-1, prediction.shape[3]]), target);
    const weights = pixelWeights(this.options.class_weights, task, target);
    return averageOverValid(this.#focus(errors), known.cast('float32'), weights);
  }

  /** One logit. */
  #binary(prediction: tf.Tensor4D, label: tf.Tensor, task: Task): LossValue {
    this.classWeights(task);
    const known = tf.notEqual(label, tf.scalar(IGNORE)).cast('float32');
    const positive = label.mul(known);
    // softplus(-p) is -log sigmoid(p), softplus(p) is -log(1 - sigmoid(p)).
    const negative = tf.sub(1, positive);
    const errors = positive.mul(tf.softplus(prediction.neg())).add(negative.mul(tf.softplus(prediction)));
    const { alpha } = this.options;
    const focused = this.#focus(errors);
    const weighted = alpha === null ? focused : focused.mul(positive.mul(alpha).add(negative.mul(1 - alpha)));
    return averageOverValid(weighted, known);
  }

  /** @param errors cross entropies, -log p */
  #focus(errors: tf.Tensor): tf.Tensor {
    const { gamma } = this.options;
    if (gamma === 0) return errors;
    // The bound keeps the power's gradient finite where p is 1.
    const missing = tf.maximum(tf.sub(1, errors.neg().exp()), tf.scalar(1e-12));
    return missing.log().mul(gamma).exp().mul(errors);
  }
}
