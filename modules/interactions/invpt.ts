// InvPT's decoder (Ye and Xu 2022): three stages of ever finer resolution and fewer channels in which the tokens of
// all tasks attend to each other; the scores of a stage are handed to the next one.
//
// As the released code has it: the scale of the scores is that of the whole width, not of a head; the convolutions
// of the up-embedding are dilated; keys always come to the same small grid, so that scores can be handed on.
import * as tf from '../../registry/tf.js';
import {
  component,
  Configured,
  defineOptions,
  MtcpError,
  type Block,
  type Features,
  type OptionsOf,
  type Pyramid,
  type Scope,
} from '../../registry/index.js';
import { mergeHeads, splitHeads } from '../nn/attention.js';
import { torchBias, torchWeight } from '../nn/initializers.js';
import { batchNorm, conv2d, layerNorm, linear, mlp } from '../nn/layers.js';
import { byTask, extentOf } from '../nn/levels.js';
import { gelu, relu } from '../nn/ops/activations.js';
import { convTranspose2d } from '../nn/ops/convolution.js';
import { averagePool } from '../nn/pooling.js';
import { convNorm } from '../nn/residual.js';
import { resizeBilinear } from '../nn/resize.js';
import { vitInit } from '../nn/vit.js';

const schema = defineOptions({
  stages: {
    type: 'integer',
    minimum: 1,
    maximum: 3,
    default: 3,
    description: 'Stages; each doubles the resolution.',
  },
  heads: { type: 'integer', minimum: 1, default: 2, description: 'Attention heads.' },
  mlp_ratio: {
    type: 'integer',
    minimum: 1,
    default: 4,
    description: 'Hidden over outer width of the MLPs.',
  },
});

type Maps = Record<string, tf.Tensor4D>;

/** Scores of a stage before the softmax, and the grid of their queries. */
interface Message {
  scores: tf.Tensor4D;
  grid: [number, number];
}

@component({
  kind: 'interaction',
  name: 'invpt',
  summary: 'Joint attention of all tasks at rising resolution, with scores handed from stage to stage.',
  source: 'Ye and Xu 2022 (InvPT); prismformore/Multi-Task-Transformer InvPT/models/transformers/invpt.py',
  options: schema,
  file: import.meta.url,
})
export class InvPt extends Configured<OptionsOf<typeof schema>> implements Block {
  forward(scope: Scope, features: Features): Features {
    const first = features.tasks[this.tasks[0].name][0];
    const width = first.data.shape[3];
    const finest = extentOf(first.data).map((n) => n * 2 ** this.options.stages) as [number, number];
    let maps: Maps = byTask(this.tasks, (name) => features.tasks[name][0].data);
    const sums: Record<string, tf.Tensor4D[]> = byTask(this.tasks, () => []);
    let message: Message | undefined;
    for (let i = 0; i < this.options.stages; i++) {
      const stage = scope.at(`stages.${i}`);
      if (i > 0)
        maps = this.#embed(stage, maps, this.#skip(scope.at(`skips.${i}`), features.shared, i, maps));
      [maps, message] = this.#attend(stage, maps, 2 ** (i + 1), message);
      const together = layerNorm(stage.at('norm'), this.#concat(maps));
      tf.split(together, this.tasks.length, 3).forEach((part, t) => {
        const { name } = this.tasks[t];
        const wide =
          i === 0 ? part : conv2d(stage.at(`widen.${name}`), part as tf.Tensor4D, width, { kernel: 1 });
        sums[name].push(resizeBilinear(wide as tf.Tensor4D, finest));
      });
    }
    const stride = first.stride / 2 ** this.options.stages;
    const pyramids = byTask(this.tasks, (name): Pyramid => {
      const own = scope.at(`project.${name}`);
      const smooth = conv2d(own.at('conv'), tf.addN(sums[name]) as tf.Tensor4D, width, {
        kernel: 3,
        padding: 1,
        ...vitInit,
      });
      return [{ data: relu(batchNorm(own.at('norm'), smooth)), stride }];
    });
    return { ...features, tasks: pyramids };
  }

  #concat(maps: Maps): tf.Tensor4D {
    return tf.concat(
      this.tasks.map(({ name }) => maps[name]),
      3,
    ) as tf.Tensor4D;
  }

  /** The encoder's map for stage `i`, brought to the stage's resolution and width. */
  #skip(scope: Scope, shared: Pyramid, i: number, maps: Maps): tf.Tensor4D {
    const [height, width, channels] = maps[this.tasks[0].name].shape.slice(1);
    const [rows, columns, out] = [height * 2, width * 2, channels / 2];
    const level = shared[shared.length - 2 - i];
    if (!level)
      throw new MtcpError('component', `interaction invpt: there is no level for the skip of stage ${i}`, {
        hint: `the backbone has ${shared.length} levels; ${this.options.stages} stages read ${this.options.stages + 1}`,
      });
    const { data } = level;
    const [batch, h, w, inputs] = data.shape;
    if (rows === h && columns === w) return conv2d(scope, data, out, { kernel: 3, padding: 1 });
    if (rows === 2 * h && columns === 2 * w) {
      const weight = scope.param<tf.Rank.R4>('weight', [inputs, out, 3, 3], torchWeight);
      const y = convTranspose2d(data, weight, [batch, rows, columns, out], {
        stride: [2, 2],
        padding: [1, 1, 1, 1],
        dilation: [1, 1],
        groups: 1,
      });
      return y.add(scope.param('bias', [out], torchBias(out * 9)));
    }
    return resizeBilinear(conv2d(scope, data, out, { kernel: 3, padding: 1 }), [rows, columns]);
  }

  /** Twice the resolution, half the channels, plus the encoder's map. */
  #embed(scope: Scope, maps: Maps, skip: tf.Tensor4D): Maps {
    const out = skip.shape[3];
    return byTask(this.tasks, (name) => {
      const own = scope.at(`embed.${name}`);
      let x = resizeBilinear(maps[name], extentOf(skip));
      for (const j of [0, 1])
        x = relu(convNorm(own, [`${j}.conv`, `${j}.norm`], x, out, { kernel: 3, padding: 2, dilation: 2 }));
      return x.add(skip);
    });
  }

  #attend(scope: Scope, maps: Maps, pool: number, before?: Message): [Maps, Message] {
    const { heads, mlp_ratio: ratio } = this.options;
    const [batch, height, width, channels] = maps[this.tasks[0].name].shape;
    const count = this.tasks.length;
    const tokens = (parts: Maps) =>
      tf.concat(
        this.tasks.map(({ name }) => parts[name].reshape([batch, -1, channels])),
        1,
      ) as tf.Tensor3D;
    const x = tokens(maps);
    const normalized = tf.split(layerNorm(scope.at('norm1'), x), count, 1);
    const grids = byTask(this.tasks, (name) => {
      const t = this.tasks.findIndex((task) => task.name === name);
      return normalized[t].reshape([batch, height, width, channels]) as tf.Tensor4D;
    });
    const at = scope.at('attn');
    const queries = byTask(this.tasks, (name) => {
      const own = at.at(`query.${name}`);
      const coarse = conv2d(own.at('conv'), grids[name], channels, {
        kernel: 3,
        stride: 2,
        padding: 1,
        groups: channels,
        bias: false,
      });
      return batchNorm(own.at('norm'), coarse);
    });
    const grid = extentOf(queries[this.tasks[0].name]);
    const pooled = tokens(byTask(this.tasks, (name) => averagePool(grids[name], pool)));
    const project = (part: string, y: tf.Tensor3D) =>
      splitHeads(linear(at.at(part), y, channels, vitInit), heads);
    const [q, k, v] = [project('q', tokens(queries)), project('k', pooled), project('v', pooled)];
    const own = tf.matMul(q, k, false, true).mul<tf.Tensor4D>(channels ** -0.5);
    const scores = before ? this.#fuse(at.at('fuse'), own, before, grid) : own;
    const mixed = mergeHeads(tf.matMul(tf.softmax(scores), v) as tf.Tensor4D);
    const projected = tf.split(linear(at.at('proj'), mixed, channels, vitInit), count, 1);
    const finer = projected.map((part) =>
      resizeBilinear(part.reshape([batch, ...grid, channels]) as tf.Tensor4D, [height, width]).reshape([
        batch,
        height * width,
        channels,
      ]),
    );
    const y = x.add<tf.Tensor3D>(tf.concat(finer, 1));
    const scopes = { first: scope.at('mlp.fc1'), second: scope.at('mlp.fc2') };
    const z = y.add(mlp(scopes, layerNorm(scope.at('norm2'), y), channels * ratio, gelu));
    const parts = tf.split(z, count, 1);
    const result = byTask(this.tasks, (name) => {
      const t = this.tasks.findIndex((task) => task.name === name);
      return parts[t].reshape([batch, height, width, channels]) as tf.Tensor4D;
    });
    return [result, { scores, grid }];
  }

  /** The last stage's scores on this stage's grid, mixed with its own across heads. */
  #fuse(scope: Scope, own: tf.Tensor4D, { scores, grid }: Message, size: [number, number]): tf.Tensor4D {
    const [batch, heads, queries, keys] = own.shape;
    if (scores.shape[3] !== keys)
      throw new MtcpError('component', 'interaction invpt: the stages do not have the same number of keys', {
        hint: 'choose augment.size in multiples of 64 (of four times the stride of the deepest map)',
      });
    const before = resizeBilinear(scores.reshape([-1, ...grid, keys]) as tf.Tensor4D, size);
    const both = tf.concat([own, before.reshape([batch, heads, queries, keys])], 1);
    const weight = scope.param<tf.Rank.R4>('weight', [heads, 2 * heads, 1, 1], torchWeight);
    const bias = scope.param<tf.Rank.R1>('bias', [heads], torchBias(2 * heads));
    const mixed = tf.matMul(
      weight.reshape([1, heads, 2 * heads]).broadcastTo([batch, heads, 2 * heads]),
      both.reshape([batch, 2 * heads, queries * keys]),
    );
    return mixed.add(bias.reshape([1, heads, 1])).reshape([batch, heads, queries, keys]);
  }
}
