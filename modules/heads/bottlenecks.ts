// Residual bottlenecks before the prediction: what PAD-Net and PAP reconstruct their final maps with.
import type { Tensor4D } from '../../registry/tf.js';
import {
  component,
  Configured,
  defineOptions,
  type Head,
  type OptionsOf,
  type Pyramid,
  type Scope,
  type Task,
} from '../../registry/index.js';
import { conv2d } from '../nn/layers.js';
import { levelOf } from '../nn/levels.js';
import { bottlenecks } from '../nn/residual.js';

const schema = defineOptions({
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
});

@component({
  kind: 'head',
  name: 'bottlenecks',
  summary: 'Residual bottlenecks on one level, 1x1 convolution.',
  source: 'SimonVandenhende/Multi-Task-Learning-PyTorch models/padnet.py',
  options: schema,
  file: import.meta.url,
})
export class BottlenecksHead extends Configured<OptionsOf<typeof schema>> implements Head {
  forward(scope: Scope, pyramid: Pyramid, task: Task): Tensor4D {
    const { count, level } = this.options;
    const { data } = levelOf(pyramid, level, 'head bottlenecks');
    const x = bottlenecks(scope.at('blocks'), data, data.shape[3], count);
    return conv2d(scope.at('classify'), x, task.channels, { kernel: 1 });
  }
}
