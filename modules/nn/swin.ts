// Swin transformer blocks and stages (Liu et al. 2021) over NHWC maps. Used by the Swin encoder and by MT-CP's
// task decoders; parameter names are those of transformers' Swin.
import * as tf from '../../registry/tf.js';
import { MtcpError, type Initializer, type Scope } from '../../registry/index.js';
import { mergeHeads, splitHeads } from './attention.js';
import { feedForward } from './feed-forward.js';
import { truncatedNormal } from './initializers.js';
import { dropPath, layerNorm, linear } from './layers.js';
import { padToMultiple } from './pad.js';
import { relativePositions } from './ops/relative-positions.js';

export interface SwinBlockOptions {
  heads: number;
  window: number;
  /** 0, or window / 2 in every second block. */
  shift: number;
  mlpRatio: number;
  dropPath?: number;
  /** How linear weights start; transformers uses a normal of .02, MT-CP's decoders PyTorch's default. */
  weightInit?: Initializer;
}

const tableInit = truncatedNormal(0.02);
const BLOCKED = -100;

/**
 * A window must fit into the map [batch, height, width, channels] that a pyramid begins with, or there would
 * be no windows
 * at all; the coarser maps of later stages may be smaller and are padded.
 * @throws MtcpError `component`, at `option`
 */
export function checkWindow(window: number, { shape: [, height, width] }: tf.Tensor4D, option: string): void {
  if (window <= Math.max(height, width)) return;
  throw new MtcpError('component', `a window of ${window} is larger than the map of ${height}x${width}`, {
    option,
    hint: `use ${Math.min(height, width)} or less, or larger images (augment.size)`,
  });
}

/** @param x [batch, height, width, channels] */
export function swinBlock(scope: Scope, x: tf.Tensor4D, options: SwinBlockOptions): tf.Tensor4D {
  const { mlpRatio, weightInit, dropPath: drop = 0 } = options;
  const channels = x.shape[3];
  const attended = windowAttention(
    scope.at('attention'),
    layerNorm(scope.at('layernorm_before'), x),
    options,
  );
  const y = x.add(dropPath(scope, attended, drop)) as tf.Tensor4D;
  const normalized = layerNorm(scope.at('layernorm_after'), y);
  const [first, second] = [scope.at('intermediate.dense'), scope.at('output.dense')];
  const inner = { hidden: channels * mlpRatio, activation: 'gelu', weightInit } as const;
  return y.add(feedForward(first, second, normalized, inner));
}

/**
 * Self-attention inside windows. The map is padded with zeros at the right and the bottom to whole windows;
 * padded positions take part as keys unless a shifted window's mask parts them, as in the original.
 */
function windowAttention(
  scope: Scope,
  x: tf.Tensor4D,
  { heads, window, shift, weightInit }: SwinBlockOptions,
): tf.Tensor4D {
  const channels = x.shape[3];
  const windows = toWindows(x, window, shift);
  const self = scope.at('self');
  const project = (name: string) =>
    splitHeads(linear(self.at(name), windows, channels, { weightInit }), heads);
  const [q, k, v] = [project('query'), project('key'), project('value')];
  const mixed = attendInWindows(self, q.mul(1 / Math.sqrt(channels / heads)), k, v, x, window, shift);
  const projected = linear(scope.at('output.dense'), mixed, channels, { weightInit }) as tf.Tensor3D;
  return fromWindows(projected, x, window, shift);
}

/**
 * softmax(q k^T + bias of positions) v inside windows; for shifted windows what the shift brought together stays apart.
 * @param q [batch * windows, heads, window^2, width], scaled; likewise k and v
 * @param like [batch, height, width, channels], the map that the windows are of
 * @returns [batch * windows, window^2, heads * width]
 */
export function attendInWindows(
  scope: Scope,
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  like: tf.Tensor4D,
  window: number,
  shift: number,
): tf.Tensor3D {
  const span = 2 * window - 1;
  const table = scope.param<tf.Rank.R2>(
    'relative_position_bias_table',
    [span * span, q.shape[1]!],
    tableInit,
  );
  const scores = tf.matMul(q, k, false, true) as tf.Tensor4D;
  return mixInWindows(scores, relativePositions(table, window), v, like, window, shift);
}

/**
 * softmax(scores + bias) v inside windows; as above.
 * @param scores [batch * windows, heads, window^2, window^2]
 * @param bias of each pair of positions, [heads, window^2, window^2]
 */
export function mixInWindows(
  scores: tf.Tensor4D,
  bias: tf.Tensor3D,
  v: tf.Tensor,
  like: tf.Tensor4D,
  window: number,
  shift: number,
): tf.Tensor3D {
  const [all, heads, tokens] = scores.shape;
  const [rows, columns] = [like.shape[1], like.shape[2]].map((n) => Math.ceil(n / window));
  const biased = scores
    .reshape([-1, rows * columns, heads, tokens, tokens])
    .add(masked(bias.expandDims(0), window, shift, rows, columns))
    .reshape([all, heads, tokens, tokens]);
  return mergeHeads(tf.matMul(tf.softmax(biased), v) as tf.Tensor4D);
}

/** [batch * windows, window^2, channels], padded with zeros to whole windows and shifted. */
export function toWindows(x: tf.Tensor4D, window: number, shift: number): tf.Tensor3D {
  const padded = padToMultiple(x, window);
  const [batch, height, width, channels] = padded.shape;
  const [rows, columns] = [height / window, width / window];
  return roll(padded, -shift)
    .reshape([batch, rows, window, columns, window, channels])
    .transpose([0, 1, 3, 2, 4, 5])
    .reshape([batch * rows * columns, window * window, channels]);
}

/**
 * The map that `toWindows` took apart, [batch, height, width] of `like` with the channels of `windows`; what
 * was padded is
 * cut off.
 */
export function fromWindows(
  windows: tf.Tensor3D,
  like: tf.Tensor4D,
  window: number,
  shift: number,
): tf.Tensor4D {
  const [batch, height, width] = like.shape;
  const channels = windows.shape[2];
  const [rows, columns] = [Math.ceil(height / window), Math.ceil(width / window)];
  const whole = windows
    .reshape([batch, rows, columns, window, window, channels])
    .transpose([0, 1, 3, 2, 4, 5])
    .reshape([batch, rows * window, columns * window, channels]) as tf.Tensor4D;
  return tf.slice(roll(whole, shift), [0, 0, 0, 0], [batch, height, width, channels]);
}

/** The bias plus, for shifted windows, the mask that keeps what the shift brought together apart. */
function masked(bias: tf.Tensor4D, window: number, shift: number, rows: number, columns: number): tf.Tensor {
  if (shift === 0) return bias;
  const tokens = window * window;
  return bias.add(tf.tensor4d(shiftMask(window, shift, rows, columns), [rows * columns, 1, tokens, tokens]));
}

/** [window, token, token]: 0 where both tokens come from the same side of the seam, BLOCKED elsewhere. */
function shiftMask(window: number, shift: number, rows: number, columns: number): Float32Array {
  const side = (position: number, extent: number) =>
    Number(position >= extent - window) + Number(position >= extent - shift);
  const tokens = window * window;
  const mask = new Float32Array(rows * columns * tokens * tokens);
  const region = new Int32Array(tokens);
  for (let w = 0; w < rows * columns; w++) {
    for (let t = 0; t < tokens; t++) {
      const y = Math.floor(w / columns) * window + Math.floor(t / window);
      const x = (w % columns) * window + (t % window);
      region[t] = 3 * side(y, rows * window) + side(x, columns * window);
    }
    for (let i = 0; i < tokens; i++)
      for (let j = 0; j < tokens; j++)
        if (region[i] !== region[j]) mask[(w * tokens + i) * tokens + j] = BLOCKED;
  }
  return mask;
}

/** Cyclic shift of rows and columns by `amount`, like torch.roll over both axes. */
function roll(x: tf.Tensor4D, amount: number): tf.Tensor4D {
  if (amount === 0) return x;
  let rolled = x;
  for (const axis of [1, 2]) {
    const extent = x.shape[axis];
    const cut = ((-amount % extent) + extent) % extent;
    if (cut === 0) continue;
    const [head, tail] = tf.split(rolled, [cut, extent - cut], axis);
    rolled = tf.concat([tail, head], axis) as tf.Tensor4D;
  }
  return rolled;
}

/**
 * Halves the resolution and doubles the channels, [batch, height, width, channels] to [batch, height / 2,
 * width / 2,
 * 2 * channels]: each 2x2 neighbourhood becomes one vector, normalised and projected. Odd sizes are padded
 * with zeros.
 */
export function patchMerging(scope: Scope, x: tf.Tensor4D, weightInit?: Initializer): tf.Tensor4D {
  const merged = layerNorm(scope.at('norm'), mergeNeighbours(x));
  return linear(scope.at('reduction'), merged, 2 * x.shape[3], { bias: false, weightInit });
}

/** The channels of 2x2 neighbours in the order (0,0), (1,0), (0,1), (1,1) of [row, column]; as above. */
export function mergeNeighbours(x: tf.Tensor4D): tf.Tensor4D {
  const padded = padToMultiple(x, 2);
  const [batch, height, width, channels] = padded.shape;
  return padded
    .reshape([batch, height / 2, 2, width / 2, 2, channels])
    .transpose([0, 1, 3, 4, 2, 5])
    .reshape([batch, height / 2, width / 2, 4 * channels]) as tf.Tensor4D;
}

export interface SwinStageOptions extends Omit<SwinBlockOptions, 'shift' | 'dropPath'> {
  depth: number;
  /** Drop-path probability of each block. */
  dropPaths?: number[];
}

/** `depth` blocks on [batch, height, width, channels], every second one shifted by half a window. */
export function swinStage(
  scope: Scope,
  x: tf.Tensor4D,
  { depth, dropPaths = [], ...block }: SwinStageOptions,
): tf.Tensor4D {
  for (let i = 0; i < depth; i++) {
    const shift = i % 2 === 0 ? 0 : Math.floor(block.window / 2);
    x = swinBlock(scope.at(`blocks.${i}`), x, { ...block, shift, dropPath: dropPaths[i] ?? 0 });
  }
  return x;
}
