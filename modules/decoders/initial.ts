// PAD-Net's first half: features and an initial prediction for each task from one shared map. The predictions are
// supervised; the features go on.
import { component, options, tasks, type OptionsOf } from '../../registry/component.js';
import type { Block } from '../../registry/contracts/blocks.js';
import type { Features, Pyramid } from '../../registry/contracts/features.js';
import type { Scope } from '../../registry/contracts/scope.js';
import type { Task } from '../../registry/contracts/tasks.js';
import type { OptionsSchema } from '../../registry/options.js';
import { binaryBlocks } from '../nn/binary.js';
import { conv2d } from '../nn/layers.js';
import { byTask } from '../nn/levels.js';
import { bottlenecks } from '../nn/residual.js';

const schema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    channels: { type: 'integer', minimum: 4, default: 256, description: "Width of each task's features." },
    count: { type: 'integer', minimum: 1, default: 2, description: 'Bottlenecks of each task.' },
    predict: { type: 'boolean', default: true, description: 'Make the initial prediction.' },
    binary: {
      type: 'boolean',
      default: false,
      description: 'Residual blocks of binary convolutions instead of bottlenecks (Bi-MTDP).',
    },
  },
  required: ['channels', 'count', 'predict', 'binary'],
} as const satisfies OptionsSchema;

@component({
  kind: 'decoder',
  name: 'initial',
  summary: 'For each task bottlenecks on the finest level, and an initial prediction.',
  source: 'Xu et al. 2018 (PAD-Net); SimonVandenhende/Multi-Task-Learning-PyTorch models/padnet.py',
  options: schema,
})
export class InitialPrediction implements Block {
  constructor(
    @options() private readonly options: OptionsOf<typeof schema>,
    @tasks() private readonly tasks: readonly Task[],
  ) {}

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
