// Residual bottlenecks before the prediction: what PAD-Net and PAP reconstruct their final maps with.
import type { Tensor4D } from '@tensorflow/tfjs';
import { component, options, type OptionsOf } from '../../registry/component.js';
import type { Head } from '../../registry/contracts/blocks.js';
import type { Pyramid } from '../../registry/contracts/features.js';
import type { Scope } from '../../registry/contracts/scope.js';
import type { Task } from '../../registry/contracts/tasks.js';
import type { OptionsSchema } from '../../registry/options.js';
import { conv2d } from '../nn/layers.js';
import { levelOf } from '../nn/levels.js';
import { bottlenecks } from '../nn/residual.js';

const schema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    count: {
      type: 'integer',
      minimum: 0,
      default: 2,
      description: 'Bottlenecks; 0 leaves a 1x1 convolution.',
    },
    level: {
      type: 'integer',
      default: 0,
      description: 'Which level of the pyramid: 0 is the finest, -1 the coarsest.',
    },
  },
  required: ['count', 'level'],
} as const satisfies OptionsSchema;

@component({
  kind: 'head',
  name: 'bottlenecks',
  summary: 'Residual bottlenecks on one level, 1x1 convolution.',
  source: 'SimonVandenhende/Multi-Task-Learning-PyTorch models/padnet.py',
  options: schema,
})
export class BottlenecksHead implements Head {
  constructor(@options() private readonly options: OptionsOf<typeof schema>) {}

  forward(scope: Scope, pyramid: Pyramid, task: Task): Tensor4D {
    const { count, level } = this.options;
    const { data } = levelOf(pyramid, level, 'head bottlenecks');
    const x = bottlenecks(scope.at('blocks'), data, data.shape[3], count);
    return conv2d(scope.at('classify'), x, task.channels, { kernel: 1 });
  }
}
