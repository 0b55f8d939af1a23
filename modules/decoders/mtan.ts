// Multi-task attention network (Liu et al. 2019): one shared encoder; each task picks from every stage through an
// attention mask of its own, fed by what it picked one stage before. The convolutions that carry a task's pick to
// the next stage are shared by the tasks.
import * as tf from '../../registry/tf.js';
import {
  component,
  Configured,
  defineOptions,
  MtcpError,
  type Block,
  type FeatureMap,
  type Features,
  type OptionsOf,
  type Scope,
} from '../../registry/index.js';
import { batchNorm, conv2d } from '../nn/layers.js';
import { byTask } from '../nn/levels.js';
import { relu } from '../nn/ops/activations.js';
import { maxPool } from '../nn/pooling.js';
import { bottleneck } from '../nn/residual.js';

const schema = defineOptions({
  reduction: {
    type: 'integer',
    minimum: 1,
    default: 4,
    description: 'Channels over hidden channels of the attention layers.',
  },
});

@component({
  kind: 'decoder',
  name: 'mtan',
  summary: 'Attention masks of each task over the stages of a shared encoder.',
  source: 'Liu et al. 2019; SimonVandenhende/Multi-Task-Learning-PyTorch models/mtan.py',
  options: schema,
  file: import.meta.url,
})
export class Mtan extends Configured<OptionsOf<typeof schema>> implements Block {
  forward(scope: Scope, features: Features): Features {
    const { shared, taps } = features;
    const inner = taps.get('inner');
    if (inner?.length !== shared.length)
      throw new MtcpError('component', 'decoder mtan: the backbone gives no maps before its last blocks', {
        hint: 'resnet does with `inner: true`',
      });
    const pyramids = byTask(this.tasks, (name) => {
      const levels: FeatureMap[] = [];
      let picked: tf.Tensor4D | undefined;
      shared.forEach(({ data, stride }, s) => {
        const before = inner[s];
        const input = picked ? (tf.concat([before, picked], 3) as tf.Tensor4D) : before;
        const mask = this.#attend(scope.at(`attention.${s}.${name}`), input, data.shape[3]);
        const chosen: tf.Tensor4D = data.mul(mask);
        levels.push({ data: chosen, stride });
        if (s === shared.length - 1) return;
        // The same refinement serves every task.
        const out = shared[s + 1].data.shape[3];
        const refined = bottleneck(scope.shared(`refine.${s}`), chosen, Math.floor(out / 4), { out });
        const factor = shared[s + 1].stride / stride;
        picked = factor > 1 ? maxPool(refined, { kernel: factor, stride: factor, padding: 0 }) : refined;
      });
      return levels;
    });
    return { ...features, tasks: pyramids, stages: pyramids };
  }

  #attend(scope: Scope, x: tf.Tensor4D, out: number): tf.Tensor4D {
    const hidden = Math.max(1, Math.floor(out / this.options.reduction));
    const narrow = relu(batchNorm(scope.at('norm1'), conv2d(scope.at('conv1'), x, hidden, { kernel: 1 })));
    return batchNorm(scope.at('norm2'), conv2d(scope.at('conv2'), narrow, out, { kernel: 1 })).sigmoid();
  }
}
