// One shared map out of a pyramid: all levels at one size, one after the other in the channels, perhaps mixed and
// narrowed. All tasks receive the same map.
import type { Tensor4D } from '../../registry/tf.js';
import {
  component,
  Configured,
  defineOptions,
  type Block,
  type FeatureMap,
  type Features,
  type OptionsOf,
  type Scope,
} from '../../registry/index.js';
import { batchNorm, conv2d, layerNorm, linear } from '../nn/layers.js';
import { byTask, concatLevels, levelOf } from '../nn/levels.js';
import { relu } from '../nn/ops/activations.js';

const schema = defineOptions({
  level: { type: 'integer', minimum: 0, default: 0, description: 'The level whose size the result has.' },
  skip: {
    type: 'integer',
    minimum: 0,
    default: 0,
    description: 'Levels to leave out, from the finest on; `level` counts those that stay.',
  },
  reduce: {
    enum: ['none', 'conv', 'conv-norm-relu', 'linear-norm'],
    default: 'none',
    description:
      'What follows: nothing, a 1x1 convolution, the same with batch norm and ReLU (HRNet), or a linear layer with layer norm (DeMT).',
  },
  channels: {
    type: ['integer', 'null'],
    minimum: 1,
    default: null,
    description: 'Width after it; null: the sum of the levels.',
  },
});

@component({
  kind: 'decoder',
  name: 'concat',
  summary: 'All levels at one size in one map that all tasks share, optionally mixed by a 1x1 layer.',
  source:
    'HighResolutionFuse of SimonVandenhende/Multi-Task-Learning-PyTorch; the reduction of DeMT and of MTFormer',
  options: schema,
  file: import.meta.url,
})
export class Concat extends Configured<OptionsOf<typeof schema>> implements Block {
  forward(scope: Scope, features: Features): Features {
    const kept = features.shared.slice(this.options.skip);
    levelOf(kept, this.options.level, 'decoder concat');
    const { data, stride } = concatLevels(kept, this.options.level);
    const map: FeatureMap = { data: this.#reduce(scope, data), stride };
    const pyramids = byTask(this.tasks, () => [map]);
    return { ...features, tasks: pyramids, stages: pyramids };
  }

  #reduce(scope: Scope, x: Tensor4D): Tensor4D {
    const { reduce, channels } = this.options;
    const out = channels ?? x.shape[3];
    switch (reduce) {
      case 'none':
        return x;
      case 'conv':
        return conv2d(scope.at('conv'), x, out, { kernel: 1 });
      case 'conv-norm-relu':
        return relu(batchNorm(scope.at('norm'), conv2d(scope.at('conv'), x, out, { kernel: 1 })));
      case 'linear-norm':
        return layerNorm(scope.at('norm'), linear(scope.at('linear'), x, out));
    }
  }
}
