// MTFormer's cross-task attention (Xu et al. 2022) on shifted windows. For each target task, queries and keys come
// from one task and values from the target: with the target itself as well as with every other task. The results
// go through MLPs of their own and are merged into the target; the other tasks' maps stay as they are.
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
import { splitHeads } from '../nn/attention.js';
import { layerNorm, linear } from '../nn/layers.js';
import { byTask } from '../nn/levels.js';
import { gelu } from '../nn/ops/activations.js';
import { attendInWindows, fromWindows, toWindows } from '../nn/swin.js';
import { mlpRatioOption, windowOption } from '../nn/transformer-options.js';
import { vitInit } from '../nn/vit.js';

const schema = defineOptions({
  depth: { type: 'integer', minimum: 1, default: 2, description: 'Blocks; every second one is shifted.' },
  heads: { type: 'integer', minimum: 1, default: 4, description: 'Attention heads.' },
  window: windowOption,
  mlp_ratio: { ...mlpRatioOption, description: 'Hidden over outer width of the last MLP.' },
  scale: {
    enum: ['intended', 'parity'],
    default: 'intended',
    description:
      "Scale of the scores: the root of a head's width (intended, and the released code for Pascal), or of the width that one task would have if all shared the channels (parity with the released code for NYUD).",
  },
});

@component({
  kind: 'interaction',
  name: 'cross_task_attention',
  summary: "Window attention with other tasks' queries and keys on the task's own values.",
  source: 'Xu et al. 2022 (MTFormer); xiaogang00/MTFormer models/swim_transformer2_CA_nyud.py, _CA_pascal.py',
  options: schema,
  file: import.meta.url,
})
export class CrossTaskAttention extends Configured<OptionsOf<typeof schema>> implements Block {
  forward(scope: Scope, features: Features): Features {
    const pyramids = byTask(this.tasks, (target): FeatureMap[] => {
      const own = scope.at(target);
      const others = this.tasks.filter(({ name }) => name !== target);
      const rest = others.map(({ name }) => features.tasks[name][0].data);
      let { data } = features.tasks[target][0];
      for (let i = 0; i < this.options.depth; i++)
        data = this.#block(own.at(`blocks.${i}`), data, rest, i % 2 === 1);
      return [{ data: layerNorm(own.at('norm'), data), stride: features.tasks[target][0].stride }];
    });
    return { ...features, tasks: pyramids };
  }

  #block(scope: Scope, target: tf.Tensor4D, others: tf.Tensor4D[], shifted: boolean): tf.Tensor4D {
    const { window, mlp_ratio: ratio } = this.options;
    const channels = target.shape[3];
    const count = others.length + 1;
    const shift = shifted ? Math.floor(window / 2) : 0;
    const norm = scope.shared('norm1');
    const [mine, ...theirs] = [target, ...others].map((x) => toWindows(layerNorm(norm, x), window, shift));
    const attend = (source: tf.Tensor3D) =>
      this.#attention(scope.shared('attn'), source, mine, target, shift);
    const self = attend(mine);
    const hidden = count * channels;
    // One task alone keeps the whole width; the others share as much again.
    const share = Math.max(1, Math.floor(channels / Math.max(1, count - 1)));
    const parts = [
      mlp(scope.at('own'), self, hidden, channels),
      ...theirs.map((source, j) => mlp(scope.at(`others.${j}`), attend(source), hidden, share)),
    ];
    const merged = mlp(
      scope.at('merge'),
      tf.concat(parts, 2) as tf.Tensor3D,
      hidden,
      channels,
    ).add<tf.Tensor3D>(self);
    const y = target.add<tf.Tensor4D>(fromWindows(merged, target, window, shift));
    const flat = layerNorm(scope.at('norm2'), y);
    return y.add(mlp(scope.at('mlp'), flat, channels * ratio, channels));
  }

  /** softmax(q k^T) v within windows, q and k from `source`, v from `values`; one set of weights for all sources. */
  #attention(
    scope: Scope,
    source: tf.Tensor3D,
    values: tf.Tensor3D,
    like: tf.Tensor4D,
    shift: number,
  ): tf.Tensor3D {
    const { heads, window, scale } = this.options;
    const channels = source.shape[2];
    const [q, k] = tf.split(linear(scope.at('qk'), source, 2 * channels, vitInit), 2, 2) as tf.Tensor3D[];
    const v = splitHeads(linear(scope.at('v'), values, channels, vitInit), heads);
    const width = scale === 'intended' ? channels / heads : (channels * this.tasks.length) / heads;
    const scaled = splitHeads(q, heads).mul(1 / Math.sqrt(width));
    const mixed = attendInWindows(scope, scaled, splitHeads(k, heads), v, like, window, shift);
    return linear(scope.at('proj'), mixed, channels, vitInit);
  }
}

function mlp<R extends tf.Rank>(scope: Scope, x: tf.Tensor<R>, hidden: number, out: number): tf.Tensor<R> {
  return linear(scope.at('fc2'), gelu(linear(scope.at('fc1'), x, hidden, vitInit)), out, vitInit);
}
