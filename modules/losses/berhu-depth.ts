// The reverse Huber loss of depth estimation: absolute near zero, squared for the large errors of a batch.
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
  share: {
    type: 'number',
    exclusiveMinimum: 0,
    maximum: 1,
    default: 0.2,
    description: "Where squares begin, as a share of the batch's largest absolute error.",
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
  name: 'berhu_depth',
  summary: 'Reverse Huber depth error: |e| up to c, (e^2 + c^2) / 2c beyond, c a fifth of the largest error.',
  source: 'Laina et al., Deeper Depth Prediction with Fully Convolutional Residual Networks, Eq 1',
  tasks: ['depth'],
  options: schema,
  file: import.meta.url,
})
export class BerhuDepthLoss extends Configured<OptionsOf<typeof schema>> implements Loss {
  forward(prediction: tf.Tensor4D, label: tf.Tensor): LossValue {
    const mask = tf.less(label, this.options.max_depth ?? IGNORE).cast('float32');
    const error = prediction.sub(label).abs().mul(mask);
    // The threshold is a number of the batch, not a way for gradients; no error at all leaves |e|.
    const c = tf.maximum(detach(error.max()).mul(this.options.share), tf.scalar(1e-12));
    const squared = error.square().add(c.square()).div(c.mul(2));
    return averageOverValid(tf.where(tf.lessEqual(error, c), error, squared), mask);
  }
}
