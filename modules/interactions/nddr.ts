// Neural discriminative dimensionality reduction (Gao et al. 2019): all tasks' channels side by side, reduced again
// for each task by a 1x1 convolution that starts as a mixture dominated by the task's own map.
import * as tf from '../../registry/tf.js';
import {
  component,
  Configured,
  defineOptions,
  type Block,
  type FeatureMap,
  type Features,
  type Initializer,
  type OptionsOf,
  type Scope,
} from '../../registry/index.js';
import { batchNorm, conv2d } from '../nn/layers.js';
import { byTask } from '../nn/levels.js';
import { relu } from '../nn/ops/activations.js';

const schema = defineOptions({
  own: { type: 'number', default: 0.9, description: "First weight of the task's own channels." },
  other: {
    type: ['number', 'null'],
    default: null,
    description: "First weight of the others' channels; null: what is missing to one, in equal parts.",
  },
  momentum: {
    type: 'number',
    minimum: 0,
    maximum: 1,
    default: 0.05,
    description: "Share of the batch's statistics in the running ones.",
  },
});

@component({
  kind: 'interaction',
  name: 'nddr',
  summary: "All tasks' channels concatenated and reduced for each task by a 1x1 convolution.",
  source: 'Gao et al. 2019; SimonVandenhende/Multi-Task-Learning-PyTorch models/nddr_cnn.py',
  options: schema,
  file: import.meta.url,
})
export class Nddr extends Configured<OptionsOf<typeof schema>> implements Block {
  forward(scope: Scope, features: Features): Features {
    const pyramids = byTask(this.tasks, (target) =>
      features.tasks[target].map((own, level): FeatureMap => {
        const all = tf.concat(
          this.tasks.map(({ name }) => features.tasks[name][level].data),
          3,
        ) as tf.Tensor4D;
        const at = scope.at(`${level}.${target}`);
        const channels = own.data.shape[3];
        const reduced = conv2d(at.at('conv'), all, channels, {
          kernel: 1,
          bias: false,
          weightInit: this.#diagonal(target),
        });
        const normalized = batchNorm(at.at('norm'), reduced, { momentum: this.options.momentum });
        return { data: relu(normalized), stride: own.stride };
      }),
    );
    return { ...features, tasks: pyramids };
  }

  /** Channel c of the result starts as own * (own channel c) + other * (every other task's channel c). */
  #diagonal(target: string): Initializer {
    const count = this.tasks.length;
    const { own } = this.options;
    const other = this.options.other ?? (1 - own) / Math.max(1, count - 1);
    return (values, [channels]) => {
      values.fill(0);
      for (let c = 0; c < channels; c++)
        this.tasks.forEach(({ name }, t) => {
          values[c * channels * count + t * channels + c] = name === target ? own : other;
        });
    };
  }
}
