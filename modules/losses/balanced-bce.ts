// Binary cross entropy on one logit, with the rare side weighted up.
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
import { detach } from '../nn/ops/detach.js';
import { averageOverValid } from './machinery/average.js';

const schema = defineOptions({
  positive_weight: {
    type: ['number', 'null'],
    minimum: 0,
    maximum: 1,
    default: null,
    description:
      'Weight w of positive pixels; negative ones weigh 1 - w. null: the share of negative pixels in the batch, as in HED. Edges use 0.95 (0.8 in ATRC on NYUD).',
  },
  unknown: {
    enum: ['ignore', 'positive'],
    default: 'ignore',
    description:
      "Pixels whose label is 255 are left out (ATRC, InvPT), or count as positive as in Vandenhende's code, which has no such pixels.",
  },
});

@component({
  kind: 'loss',
  name: 'balanced_bce',
  summary: 'Balanced binary cross entropy on one logit: w for positive pixels, 1 - w for the others.',
  source: 'MT-CP section 4.2, "balanced cross entropy"; Xie and Tu, HED, Eq 2; code of Vandenhende et al.',
  tasks: ['binary', 'boundary'],
  options: schema,
  file: import.meta.url,
})
export class BalancedBceLoss extends Configured<OptionsOf<typeof schema>> implements Loss {
  /** label: 0, 1 or IGNORE, float32 [B,H,W,1]; the value is a mean over the pixels that count. */
  forward(prediction: tf.Tensor4D, label: tf.Tensor): LossValue {
    const positive = tf.greaterEqual(label, tf.scalar(0.5)).cast('float32');
    const known =
      this.options.unknown === 'ignore'
        ? tf.notEqual(label, tf.scalar(IGNORE)).cast('float32')
        : tf.onesLike(label);
    const weight = this.options.positive_weight ?? shareOfNegatives(positive, known);
    // softplus(-p) is -log sigmoid(p), softplus(p) is -log(1 - sigmoid(p)).
    const errors = tf.add(
      positive.mul(tf.softplus(prediction.neg())).mul(weight),
      tf.sub(1, positive).mul(tf.softplus(prediction)).mul(tf.sub(1, weight)),
    );
    return averageOverValid(errors, known);
  }
}

/** How much of what is known is negative: 1 if nothing is positive, or nothing known. */
export function shareOfNegatives(positive: tf.Tensor, known: tf.Tensor): tf.Scalar {
  const count = tf.maximum(known.sum(), tf.scalar(1));
  return detach(tf.sub(1, positive.mul(known).sum().div(count)) as tf.Scalar);
}
