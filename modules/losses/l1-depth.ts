// Absolute depth error in metres, averaged over the pixels with a depth.
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
import { averageOverValid } from './machinery/average.js';

const schema = defineOptions({
  max_depth: {
    type: ['number', 'null'],
    exclusiveMinimum: 0,
    default: null,
    description:
      "Labels from this depth on (metres) are left out; null keeps all. MT-CP's and MTFormer's code use 6.5535.",
  },
});

@component({
  kind: 'loss',
  name: 'l1_depth',
  summary: 'Mean absolute depth error over the labelled pixels, in metres.',
  source: 'MT-CP section 4.2',
  tasks: ['depth'],
  options: schema,
  file: import.meta.url,
})
export class L1DepthLoss extends Configured<OptionsOf<typeof schema>> implements Loss {
  forward(prediction: tf.Tensor4D, label: tf.Tensor): LossValue {
    const limit = this.options.max_depth ?? IGNORE;
    const mask = tf.less(label, limit).cast('float32');
    return averageOverValid(prediction.sub(label).abs(), mask);
  }
}
