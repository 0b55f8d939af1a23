// HRNet's segmentation head: all levels at the finest size, mixed by a 1x1 convolution.
import type { Tensor4D } from '../../registry/tf.js';
import { component, type Head, type Pyramid, type Scope, type Task } from '../../registry/index.js';
import { batchNorm, conv2d } from '../nn/layers.js';
import { concatLevels } from '../nn/levels.js';
import { relu } from '../nn/ops/activations.js';

@component({
  kind: 'head',
  name: 'hrnet',
  summary: 'All levels concatenated at the finest size, 1x1 convolution, batch norm, ReLU, 1x1.',
  source: 'Wang et al. 2020; SimonVandenhende/Multi-Task-Learning-PyTorch HighResolutionHead',
  file: import.meta.url,
})
export class HrNetHead implements Head {
  forward(scope: Scope, pyramid: Pyramid, task: Task): Tensor4D {
    const { data } = concatLevels(pyramid);
    const mixed = batchNorm(scope.at('norm'), conv2d(scope.at('mix'), data, data.shape[3], { kernel: 1 }));
    return conv2d(scope.at('classify'), relu(mixed), task.channels, { kernel: 1 });
  }
}
