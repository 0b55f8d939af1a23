// Low-rank convolutions, alone and as a bank of experts.
import * as tf from '../../registry/tf.js';
import type { Scope } from '../../registry/index.js';
import { torchWeight, zeros } from './initializers.js';
import { conv2d } from './layers.js';
import { conv2d as convolve } from './ops/convolution.js';

/** 3x3 to `rank` channels, 1x1 back; nothing in between. The shape [batch, height, width, channels] stays. */
export function lowRank(scope: Scope, x: tf.Tensor4D, rank: number): tf.Tensor4D {
  const narrow = conv2d(scope.at('down'), x, rank, { kernel: 3, padding: 1 });
  return conv2d(scope.at('up'), narrow, x.shape[3], { kernel: 1 });
}

/** The convolutions of a bank of low-rank experts, side by side as one. */
export interface Experts {
  /** 3x3: [sum of ranks, channels, 3, 3] and [sum of ranks]. */
  down: tf.Tensor4D;
  downBias: tf.Tensor1D;
  /** 1x1: [channels, sum of ranks]; a bias for each expert, [experts, channels]. */
  up: tf.Tensor2D;
  upBias: tf.Tensor2D;
  ranks: readonly number[];
}

/**
 * The parameters of low-rank experts, one for each of `ranks`, for maps of `channels` channels; shapes as in
 * `Experts`. Made
 * once for all tasks, whose gradients then come together before they are taken apart expert by expert.
 */
export function experts(scope: Scope, channels: number, ranks: readonly number[]): Experts {
  const parts = ranks.map((rank, i) => {
    const [down, up] = [scope.at(`${i}.down`), scope.at(`${i}.up`)];
    return {
      down: down.param<tf.Rank.R4>('weight', [rank, channels, 3, 3], torchWeight),
      downBias: down.param<tf.Rank.R1>('bias', [rank], zeros),
      up: up.param<tf.Rank.R4>('weight', [channels, rank, 1, 1], torchWeight).reshape([channels, rank]),
      upBias: up.param<tf.Rank.R1>('bias', [channels], zeros),
    };
  });
  const joined = (key: 'down' | 'downBias' | 'up', axis: number) =>
    tf.concat(
      parts.map((part) => part[key]),
      axis,
    );
  return {
    down: joined('down', 0) as tf.Tensor4D,
    downBias: joined('downBias', 0) as tf.Tensor1D,
    up: joined('up', 1) as tf.Tensor2D,
    upBias: tf.stack(parts.map((part) => part.upBias)) as tf.Tensor2D,
    ranks,
  };
}

/**
 * sum over experts of share * up(down(x))
 * @param share [batch, experts]
 */
export function expertBank(bank: Experts, x: tf.Tensor4D, share: tf.Tensor2D): tf.Tensor4D {
  const { ranks, down, downBias, up, upBias } = bank;
  const [batch, height, width, channels] = x.shape;
  const total = downBias.size;
  const narrow = convolve(x, down, {
    stride: [1, 1],
    padding: [1, 1, 1, 1],
    dilation: [1, 1],
    groups: 1,
  }).add(downBias);
  // Each expert's share, as often as it has ranks: a product with a constant 0/1 matrix.
  const spread = new Float32Array(ranks.length * total);
  ranks.reduce(
    (start, rank, i) => (spread.fill(1, i * total + start, i * total + start + rank), start + rank),
    0,
  );
  const weights = tf.matMul(share, tf.tensor2d(spread, [ranks.length, total])).reshape([batch, 1, 1, total]);
  const y = tf.matMul(narrow.mul(weights).reshape([-1, total]), up, false, true);
  const bias = tf.matMul(share, upBias);
  return y
    .reshape([batch, height, width, channels])
    .add(bias.reshape([batch, 1, 1, channels])) as tf.Tensor4D;
}
