// The balanced cross entropy of ATRC and InvPT for a binary task: two logits, softmax, class weights.
import * as tf from '../../registry/tf.js';
import { component, IGNORE, type Loss, type LossValue } from '../../registry/index.js';
import { crossEntropy } from '../nn/ops/cross-entropy.js';
import { averageOverValid } from './machinery/average.js';
import { shareOfNegatives } from './balanced-bce.js';

@component({
  kind: 'loss',
  name: 'balanced_cross_entropy',
  summary:
    'Cross entropy on two logits, classes weighted 1 - w and w, w being the share of negative pixels in the batch.',
  source: 'Bruggemann et al., ATRC, and Ye and Xu, InvPT: saliency loss of their code',
  tasks: ['binary', 'boundary'],
  file: import.meta.url,
})
export class BalancedCrossEntropyLoss implements Loss {
  /** Not one logit, as binary tasks have otherwise: evaluation reads the softmax of the second. */
  channels(): number {
    return 2;
  }

  /** label: 0, 1 or IGNORE, float32 [B,H,W,1]; the weighted errors are divided by the number of known pixels. */
  forward(prediction: tf.Tensor4D, label: tf.Tensor): LossValue {
    const flat = label.reshape([-1]) as tf.Tensor1D;
    const known = tf.notEqual(flat, tf.scalar(IGNORE)).cast('float32');
    const positive = flat.mul(known) as tf.Tensor1D;
    const weight = shareOfNegatives(positive, known);
    const weights = positive.mul(weight).add(tf.sub(1, positive).mul(tf.sub(1, weight)));
    const errors = crossEntropy(prediction.reshape([-1, 2]), positive.cast('int32'));
    return averageOverValid(errors.mul(weights), known);
  }
}
