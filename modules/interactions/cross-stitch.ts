// Cross-stitch unit (Misra et al. 2016): each task's map becomes a learnt mixture of all tasks' maps.
import type { Tensor } from '../../registry/tf.js';
import * as tf from '../../registry/tf.js';
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
import { constant } from '../nn/initializers.js';
import { byTask } from '../nn/levels.js';

const schema = defineOptions({
  weights: {
    enum: ['channel', 'scalar'],
    default: 'channel',
    description: 'A weight for each channel, or one for the whole map.',
  },
  own: { type: 'number', default: 0.9, description: "First weight of the task's own map." },
  other: {
    type: ['number', 'null'],
    default: null,
    description: "First weight of the others' maps; null: what is missing to one, in equal parts.",
  },
});

@component({
  kind: 'interaction',
  name: 'cross_stitch',
  summary: "Each task's map becomes a learnt weighted sum of all tasks' maps.",
  source: 'Misra et al. 2016; SimonVandenhende/Multi-Task-Learning-PyTorch models/cross_stitch.py',
  options: schema,
  file: import.meta.url,
})
export class CrossStitch extends Configured<OptionsOf<typeof schema>> implements Block {
  forward(scope: Scope, features: Features): Features {
    const { weights, own } = this.options;
    const other = this.options.other ?? (1 - own) / Math.max(1, this.tasks.length - 1);
    const pyramids = byTask(this.tasks, (target) =>
      features.tasks[target].map(({ stride }, level): FeatureMap => {
        const terms = this.tasks.map(({ name: source }): Tensor => {
          const { data } = features.tasks[source][level];
          const shape = weights === 'channel' ? [data.shape[3]] : [1];
          const first = constant(source === target ? own : other);
          return data.mul(scope.param(`${level}.${target}.${source}`, shape, first));
        });
        return { data: tf.addN(terms) as tf.Tensor4D, stride };
      }),
    );
    return { ...features, tasks: pyramids };
  }
}
