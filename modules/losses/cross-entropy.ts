// Cross entropy over classes, averaged over the pixels that have a label.
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
import { averageOverValid } from './machinery/average.js';
import { classWeights, classWeightsProperty, pixelWeights } from './machinery/class-weights.js';

const schema = defineOptions({ class_weights: classWeightsProperty });

@component({
  kind: 'loss',
  name: 'cross_entropy',
  summary: 'Cross entropy, mean over the labelled pixels of the batch, by the weights of their classes.',
  source: 'MT-CP section 4.2; torch.nn.CrossEntropyLoss(ignore_index=255)',
  tasks: ['classes'],
  options: schema,
  file: import.meta.url,
})
export class CrossEntropyLoss extends Configured<OptionsOf<typeof schema>> implements Loss {
  classWeights(task: Task) {
    return classWeights(this.options.class_weights, task);
  }

  forward(prediction: tf.Tensor4D, label: tf.Tensor, task: Task): LossValue {
    const classes = prediction.shape[3];
    const flat = label.reshape([-1]) as tf.Tensor1D;
    const known = tf.notEqual(flat, tf.scalar(IGNORE, 'int32'));
    const target = flat.mul(known.cast('int32')) as tf.Tensor1D;
    const errors = crossEntropy(prediction.reshape([-1, classes]), target);
    const weights = pixelWeights(this.options.class_weights, task, target);
    return averageOverValid(errors, known.cast('float32'), weights);
  }
}
