// TaskPrompter's encoder (Ye and Xu 2023): a plain vision transformer in which every task has a prompt, a token of its
// own that goes through all blocks with the patches. How strongly a prompt asks for a position (with each head), and for a
// channel (in each window), weighs the map: that makes a task's features out of the shared ones.
//
// As the released code has it: the weights are scores before scale and softmax, and of the channels' attention nothing
// but these scores is used. Layers over all positions tie the parameters to the image's size.
import * as tf from '../../registry/tf.js';
import {
  component,
  defineOptions,
  MtcpError,
  options,
  tasks,
  type Backbone,
  type Encoded,
  type FeatureMap,
  type Initializer,
  type OptionsOf,
  type Scope,
  type Task,
} from '../../registry/index.js';
import { promptedVitCheckpoint } from '../checkpoints/vit.js';
import { attention, splitHeads } from '../nn/attention.js';
import { dropPath, layerNorm, linear } from '../nn/layers.js';
import {
  dropPathOf,
  embedPatches,
  positionTable,
  VIT_VARIANTS,
  vitOptions,
  TOKEN_LAYERS,
  vitSize,
  type VitSize,
} from '../nn/vit-encoder.js';
import { VIT_EPSILON, vitInit, vitMlp } from '../nn/vit.js';

const schema = defineOptions({
  ...vitOptions,
  windows: {
    type: 'integer',
    minimum: 1,
    default: 4,
    description:
      'Windows along each axis in which prompts weigh channels; must divide rows and columns of patches.',
  },
});

/** What the prompts ask for in a block. */
interface Scores {
  /** [batch, heads, tasks, tasks + positions] */
  spatial: tf.Tensor4D;
  /** [batch, tasks, windows, windows, channels] */
  channel: tf.Tensor5D;
}

/** Normal with mean and deviation 1, redrawn outside [-2, 2]. */
const promptInit: Initializer = (values, _, random) => {
  for (let i = 0; i < values.length; i++)
    do values[i] = 1 + random.normal();
    while (Math.abs(values[i]) > 2);
};

@component({
  kind: 'backbone',
  name: 'prompted_vit',
  summary:
    "Vision transformer with a prompt for each task; each tap's map weighed by what the prompts ask for.",
  source:
    'Ye and Xu 2023 (TaskPrompter); prismformore/Multi-Task-Transformer TaskPrompter/models/transformers/taskprompter.py',
  options: schema,
  checkpoint: promptedVitCheckpoint,
  file: import.meta.url,
})
export class PromptedVit implements Backbone {
  readonly layers = TOKEN_LAYERS;
  readonly #size: VitSize;

  constructor(
    @options() private readonly options: OptionsOf<typeof schema>,
    @tasks() private readonly tasks: readonly Task[],
  ) {
    this.#size = vitSize('prompted_vit', VIT_VARIANTS[options.variant], options);
  }

  /**
   * Each task's pyramid has a map of 2 * channels for every tap: weighed by positions, then weighed by channels.
   * Tap `relations`: how strongly each task's prompt asks for each other's, [batch, heads, tasks, tasks] in the order
   * of the task set, rows ask for columns.
   */
  forward(scope: Scope, image: FeatureMap): Encoded {
    const { channels, depth, taps } = this.#size;
    const map = embedPatches(scope, 'prompted_vit', image, channels, this.options.patch);
    const [batch, rows, columns] = map.shape;
    const positions = positionTable(scope, this.options, [rows, columns], channels);
    this.#checkWindows(rows, columns);
    const count = this.tasks.length;
    const prompts = scope.param<tf.Rank.R2>('task_prompts', [count, channels], promptInit);
    const patches = map
      .reshape([batch, rows * columns, channels])
      .add(tf.slice(positions, [0, 1, 0], [-1, -1, -1]));
    const start = prompts.expandDims(0).broadcastTo([batch, count, channels]);
    let tokens = tf.concat([start, patches], 1) as tf.Tensor3D;

    const stride = this.options.patch * image.stride;
    const maps: Record<string, FeatureMap[]> = Object.fromEntries(this.tasks.map(({ name }) => [name, []]));
    const relations: tf.Tensor4D[] = [];
    for (let i = 0; i < depth; i++) {
      const last = i === depth - 1;
      const drop = dropPathOf(this.options.drop_path, i, depth);
      const tapped = taps.includes(i + 1);
      const result = this.#block(scope.at(`blocks.${i}`), tokens, [rows, columns], drop, { tapped, last });
      tokens = result.tokens;
      if (!result.scores) continue;
      const whole = last ? layerNorm(scope.at('norm'), tokens, VIT_EPSILON) : tokens;
      const x = tf.slice(whole, [0, count, 0], [-1, -1, -1]).reshape(map.shape) as tf.Tensor4D;
      const weighed = this.#weigh(x, result.scores);
      this.tasks.forEach(({ name }, t) => maps[name].push({ data: weighed[t], stride }));
      relations.push(tf.slice(result.scores.spatial, [0, 0, 0, 0], [-1, -1, -1, count]));
    }
    return { tasks: maps, taps: new Map([['relations', relations]]) };
  }

  #checkWindows(rows: number, columns: number): void {
    const { windows } = this.options;
    if (rows % windows !== 0 || columns % windows !== 0)
      throw new MtcpError(
        'component',
        `backbone prompted_vit: ${rows}x${columns} patches are not ${windows}x${windows} equal windows`,
        { option: 'windows', hint: 'choose a number that divides both' },
      );
  }

  /** A transformer block over prompts and patches; the prompts also go through the positions and back. */
  #block(
    scope: Scope,
    tokens: tf.Tensor3D,
    grid: readonly [number, number],
    drop: number,
    { tapped, last }: { tapped: boolean; last: boolean },
  ): { tokens: tf.Tensor3D; scores?: Scores } {
    const { channels, heads } = this.#size;
    const positions = grid[0] * grid[1];
    const count = this.tasks.length;
    const normalized = layerNorm(scope.at('norm1'), tokens, VIT_EPSILON);
    const at = scope.at('attn');
    const [q, k, v] = tf.split(
      linear(at.at('qkv'), normalized, 3 * channels, vitInit),
      3,
      2,
    ) as tf.Tensor3D[];
    const [prompts, patches] = tf.split(normalized, [count, positions], 1) as tf.Tensor3D[];
    const asked = tapped || !last ? linear(at.at('token_trans'), prompts, positions, vitInit) : undefined;
    let attended = linear(at.at('proj'), attention(q, k, v, heads), channels, vitInit);
    if (!last) {
      const back = linear(at.at('token_trans1'), asked!, channels, vitInit);
      const [first, rest] = tf.split(attended, [count, positions], 1);
      attended = tf.concat([first.add(back), rest], 1) as tf.Tensor3D;
    }
    const y = tokens.add<tf.Tensor3D>(dropPath(scope.at('drop_path1'), attended, drop));
    const z = y.add<tf.Tensor3D>(
      dropPath(scope.at('drop_path2'), vitMlp(scope, y, { hidden: channels * this.options.mlp_ratio }), drop),
    );
    if (!tapped) return { tokens: z };
    const first = tf.slice(q, [0, 0, 0], [-1, count, -1]);
    const spatial = tf.matMul(splitHeads(first, heads), splitHeads(k, heads), false, true) as tf.Tensor4D;
    return { tokens: z, scores: { spatial, channel: this.#channelScores(asked!, patches, grid) } };
  }

  /** In each window the product of what a prompt asks for with every channel. */
  #channelScores(
    asked: tf.Tensor3D,
    patches: tf.Tensor3D,
    [rows, columns]: readonly [number, number],
  ): tf.Tensor5D {
    const { windows } = this.options;
    const [batch, count] = asked.shape;
    const { channels } = this.#size;
    const [h, w] = [rows / windows, columns / windows];
    const questions = asked
      .reshape([batch, count, windows, h, windows, w])
      .transpose([0, 2, 4, 1, 3, 5])
      .reshape([batch * windows * windows, count, h * w]);
    const cells = patches
      .reshape([batch, windows, h, windows, w, channels])
      .transpose([0, 1, 3, 2, 4, 5])
      .reshape([batch * windows * windows, h * w, channels]);
    return tf
      .matMul(questions, cells)
      .reshape([batch, windows, windows, count, channels])
      .transpose([0, 3, 1, 2, 4]);
  }

  /** For each task the map plus the map times its scores, [batch, rows, columns, 2 * channels]. */
  #weigh(x: tf.Tensor4D, { spatial, channel }: Scores): tf.Tensor4D[] {
    const { windows } = this.options;
    const { channels, heads } = this.#size;
    const [batch, rows, columns] = x.shape;
    const count = this.tasks.length;
    const byHead = x.reshape([batch, rows * columns, heads, channels / heads]);
    const [h, w] = [rows / windows, columns / windows];
    const byWindow = x.reshape([batch * windows, h, windows, w, channels]);
    const positions = tf.slice(spatial, [0, 0, 0, count], [-1, -1, -1, -1]).transpose([2, 0, 3, 1]);
    return this.tasks.map((_, t) => {
      const here = tf
        .slice(positions, [t, 0, 0, 0], [1, -1, -1, -1])
        .reshape([batch, rows * columns, heads, 1]);
      const there = tf
        .slice(channel, [0, t, 0, 0, 0], [-1, 1, -1, -1, -1])
        .reshape([batch * windows, 1, windows, 1, channels]);
      const parts = [byHead.mul(here), byWindow.mul(there)].map((part) => part.reshape(x.shape).add(x));
      return tf.concat(parts, 3) as tf.Tensor4D;
    });
  }
}
