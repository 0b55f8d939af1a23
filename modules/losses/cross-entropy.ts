// Cross entropy over classes, averaged over the pixels that have a label.
import * as tf from '../../registry/tf.js';
import { component, IGNORE, type Loss, type LossValue } from '../../registry/index.js';
import { crossEntropy } from '../nn/ops/cross-entropy.js';
import { averageOverValid } from './machinery/average.js';

@component({
  kind: 'loss',
  name: 'cross_entropy',
  summary: 'Cross entropy, mean over the labelled pixels of the batch.',
  source: 'MT-CP section 4.2; torch.nn.CrossEntropyLoss(ignore_index=255)',
  tasks: ['classes'],
  file: import.meta.url,
})
export class CrossEntropyLoss implements Loss {
  forward(prediction: tf.Tensor4D, label: tf.Tensor): LossValue {
    const classes = prediction.shape[3];
    const flat = label.reshape([-1]) as tf.Tensor1D;
    const known = tf.notEqual(flat, tf.scalar(IGNORE, 'int32'));
    const target = flat.mul(known.cast('int32')) as tf.Tensor1D;
    const errors = crossEntropy(prediction.reshape([-1, classes]), target);
    return averageOverValid(errors, known.cast('float32'));
  }
}
