// The plainest way from a shared map to the tasks: a convolution with norm and ReLU for each of them.
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
import { torchWeight } from '../nn/initializers.js';
import { byTask } from '../nn/levels.js';
import { relu } from '../nn/ops/activations.js';
import { convNorm } from '../nn/residual.js';

const schema = defineOptions({
  kernel: { enum: [1, 3], default: 3, description: 'Of the convolution.' },
  channels: {
    type: ['integer', 'null'],
    minimum: 1,
    default: null,
    description: "Width of each task's map; null: `reduction` times narrower than what comes in.",
  },
  reduction: { type: 'integer', minimum: 1, default: 4, description: 'See channels.' },
});

@component({
  kind: 'decoder',
  name: 'conv_tasks',
  summary: 'For each task a convolution with batch norm and ReLU on the finest level.',
  source: 'Bruggemann et al. 2021 (ATRC); brdav/atrc src/model/heads/relationalcontext.py',
  options: schema,
  file: import.meta.url,
})
export class ConvTasks extends Configured<OptionsOf<typeof schema>> implements Block {
  forward(scope: Scope, features: Features): Features {
    const { kernel, channels, reduction } = this.options;
    const pyramids = byTask(this.tasks, (name): Pyramid => {
      const [{ data, stride }] = features.tasks[name];
      const out = channels ?? Math.max(1, Math.floor(data.shape[3] / reduction));
      const shape = { kernel, padding: (kernel - 1) / 2, weightInit: torchWeight };
      return [{ data: relu(convNorm(scope.at(name), ['conv', 'norm'], data, out, shape)), stride }];
    });
    return { ...features, tasks: pyramids, stages: pyramids };
  }
}
