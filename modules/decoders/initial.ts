// PAD-Net's first half: features and an initial prediction for each task from one shared map. The predictions are
// supervised; the features go on.
import {
  component,
  Configured,
  defineOptions,
  type Block,
  type Features,
  type OptionsOf,
  type Pyramid,
  type Scope,
} from '../../registry/index.js';
import { binaryBlocks } from '../nn/binary.js';
import { conv2d } from '../nn/layers.js';
import { byTask } from '../nn/levels.js';
import { bottlenecks } from '../nn/residual.js';

const schema = defineOptions({
  channels: { type: 'integer', minimum: 4, default: 256, description: "Width of each task's features." },
  count: { type: 'integer', minimum: 1, default: 2, description: 'Bottlenecks of each task.' },
  predict: { type: 'boolean', default: true, description: 'Make the initial prediction.' },
  binary: {
    type: 'boolean',
    default: false,
    description: 'Residual blocks of binary convolutions instead of bottlenecks (Bi-MTDP).',
  },
});

@component({
  kind: 'decoder',
  name: 'initial',
  summary: 'For each task bottlenecks on the finest level, and an initial prediction.',
  source: 'Xu et al. 2018 (PAD-Net); SimonVandenhende/Multi-Task-Learning-PyTorch models/padnet.py',
  options: schema,
  file: import.meta.url,
})
export class InitialPrediction extends Configured<OptionsOf<typeof schema>> implements Block {
  forward(scope: Scope, features: Features): Features {
    const { channels, count, predict, binary } = this.options;
    const blocks = binary ? binaryBlocks : bottlenecks;
    const pyramids = byTask(this.tasks, (name, task): Pyramid => {
      const [start] = features.tasks[name];
      const own = scope.at(name);
      const data = blocks(own.at('blocks'), start.data, channels, count);
      if (predict && scope.training)
        scope.predict(name, conv2d(own.at('classify'), data, task.channels, { kernel: 1 }));
      return [{ data, stride: start.stride }];
    });
    return { ...features, tasks: pyramids, stages: pyramids };
  }
}
