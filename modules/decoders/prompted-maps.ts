// What TaskPrompter makes of a task's weighed maps (Ye and Xu 2023): at each tap the part weighed by positions and the part
// weighed by channels are narrowed, put side by side and mixed.
import * as tf from '../../registry/tf.js';
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
import { batchNorm, conv2d } from '../nn/layers.js';
import { byTask } from '../nn/levels.js';
import { gelu } from '../nn/ops/activations.js';

const schema = defineOptions({
  channels: { type: 'integer', minimum: 1, default: 768, description: 'Width of each part.' },
  out: { type: 'integer', minimum: 1, default: 768, description: 'Width after both are mixed.' },
});

@component({
  kind: 'decoder',
  name: 'prompted_maps',
  summary: 'For each task and tap: both halves of the channels narrowed, then mixed by a 3x3 convolution.',
  source:
    'Ye and Xu 2023 (TaskPrompter); prismformore/Multi-Task-Transformer TaskPrompter/models/transformers/taskprompter.py',
  options: schema,
  file: import.meta.url,
})
export class PromptedMaps extends Configured<OptionsOf<typeof schema>> implements Block {
  forward(scope: Scope, features: Features): Features {
    const pyramids = byTask(this.tasks, (name): Pyramid =>
      features.tasks[name].map(({ data, stride }, tap) => ({
        data: this.#mix(scope.at(`taps.${tap}.${name}`), data),
        stride,
      })),
    );
    return { ...features, tasks: pyramids, stages: pyramids };
  }

  #mix(scope: Scope, x: tf.Tensor4D): tf.Tensor4D {
    const { channels, out } = this.options;
    const parts = tf.split(x, 2, 3) as tf.Tensor4D[];
    const narrow = parts.map((part, i) =>
      conv2d(scope.at(i === 0 ? 'spatial' : 'channel'), part, channels, { kernel: 1 }),
    );
    const both = conv2d(scope.at('reduce'), tf.concat(narrow, 3) as tf.Tensor4D, out, { kernel: 1 });
    const smooth = conv2d(scope.at('conv'), both, out, { kernel: 3, padding: 1 });
    return conv2d(scope.at('out'), gelu(batchNorm(scope.at('norm'), smooth)), out, { kernel: 1 });
  }
}
