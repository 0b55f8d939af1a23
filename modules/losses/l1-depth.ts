// Absolute depth error in metres, averaged over the pixels with a depth.
import * as tf from '@tensorflow/tfjs';
import { component, options, type OptionsOf } from '../../registry/component.js';
import type { Loss, LossValue } from '../../registry/contracts/learning.js';
import { IGNORE } from '../../registry/contracts/tasks.js';
import type { OptionsSchema } from '../../registry/options.js';
import { averageOverValid } from './average.js';

const schema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    max_depth: {
      type: ['number', 'null'],
      exclusiveMinimum: 0,
      default: null,
      description:
        "Labels from this depth on (metres) are left out; null keeps all. MT-CP's and MTFormer's code use 6.5535.",
    },
  },
  required: ['max_depth'],
} as const satisfies OptionsSchema;

@component({
  kind: 'loss',
  name: 'l1_depth',
  summary: 'Mean absolute depth error over the labelled pixels, in metres.',
  source: 'MT-CP section 4.2',
  tasks: ['depth'],
  options: schema,
})
export class L1DepthLoss implements Loss {
  constructor(@options() private readonly options: OptionsOf<typeof schema>) {}

  forward(prediction: tf.Tensor4D, label: tf.Tensor): LossValue {
    const limit = this.options.max_depth ?? IGNORE;
    const mask = tf.less(label, limit).cast('float32');
    return averageOverValid(prediction.sub(label).abs(), mask);
  }
}
