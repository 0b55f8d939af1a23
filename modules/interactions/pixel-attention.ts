// DeMT's task interaction and task query (Xu et al. 2023), as the released code computes them.
//
// The paper speaks of attention between the tokens of all tasks. The code hands [batch, tokens, channels] to an
// attention that takes its first axis for the sequence; trained and tested with one image per device, that makes
// of the interaction a linear map, and of the query an attention over the tasks at each position. This is what the
// published numbers stand for, and it never mixes images of a batch; so it is what this block does.
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
import { attention } from '../nn/attention.js';
import { xavierUniform, zeros } from '../nn/initializers.js';
import { layerNorm, linear } from '../nn/layers.js';
import { byTask } from '../nn/levels.js';

const schema = defineOptions({
  heads: { type: 'integer', minimum: 1, default: 4, description: 'Attention heads.' },
});

@component({
  kind: 'interaction',
  name: 'pixel_attention',
  summary: 'At every position, each task asks all tasks: attention over tasks.',
  source: 'Xu et al. 2023 (DeMT); yangyangxu0/DeMT src/model/heads/demt_head.py',
  options: schema,
  file: import.meta.url,
})
export class PixelAttention extends Configured<OptionsOf<typeof schema>> implements Block {
  forward(scope: Scope, features: Features): Features {
    const [{ data: first, stride }] = features.tasks[this.tasks[0].name];
    const channels = first.shape[3];
    // [positions, tasks, channels]
    const tokens = tf.stack(
      this.tasks.map(({ name }) => features.tasks[name][0].data.reshape([-1, channels])),
      1,
    ) as tf.Tensor3D;
    const value = packed(scope.at('fusion'), tokens, channels, 2);
    const linearized = linear(scope.at('fusion.out_proj'), value, channels, { biasInit: zeros });
    const shared = normed(scope.at('fusion'), linearized, channels);
    const pyramids = byTask(this.tasks, (name): FeatureMap[] => {
      const own = scope.at(`query.${name}`);
      const { data } = features.tasks[name][0];
      const query = packed(own, data.reshape([-1, 1, channels]), channels, 0);
      // One packed projection serves query, key and value; the same parameter, read three times.
      const [key, values] = [1, 2].map((part) => packed(own, shared, channels, part));
      const asked = attention(query, key, values, this.options.heads);
      const answer = normed(own, linear(own.at('out_proj'), asked, channels, { biasInit: zeros }), channels);
      return [{ data: data.add(answer.reshape(data.shape)), stride }];
    });
    return { ...features, tasks: pyramids };
  }
}

/** Part 0 (query), 1 (key) or 2 (value) of PyTorch's packed projection. */
function packed(scope: Scope, x: tf.Tensor3D, channels: number, part: number): tf.Tensor3D {
  const parent = scope.shared('in_proj');
  const weight = parent.param<tf.Rank.R2>('weight', [3 * channels, channels], xavierUniform);
  const bias = parent.param<tf.Rank.R1>('bias', [3 * channels], zeros);
  const rows = tf.slice(weight, [part * channels, 0], [channels, channels]);
  const y = tf.matMul(x.reshape([-1, channels]), rows, false, true);
  return y.add(tf.slice(bias, part * channels, channels)).reshape(x.shape) as tf.Tensor3D;
}

/** A linear layer and a layer norm. */
function normed(scope: Scope, x: tf.Tensor3D, channels: number): tf.Tensor3D {
  return layerNorm(scope.at('norm'), linear(scope.at('linear'), x, channels));
}
