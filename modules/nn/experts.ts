// Low-rank convolutions, alone and as a bank of experts.
import * as tf from '@tensorflow/tfjs';
import type { Scope } from '../../registry/contracts/scope.js';
import { torchWeight, zeros } from './initializers.js';
import { conv2d } from './layers.js';
import { conv2d as convolve } from './ops/convolution.js';

/** 3x3 to `rank` channels, 1x1 back; nothing in between. */
export function lowRank(scope: Scope, x: tf.Tensor4D, rank: number): tf.Tensor4D {
  const narrow = conv2d(scope.at('down'), x, rank, { kernel: 3, padding: 1 });
  return conv2d(scope.at('up'), narrow, x.shape[3], { kernel: 1 });
}

/**
 * sum over experts of share * up(down(x)), the experts' convolutions side by side in one.
 * @param share [batch, experts]
 */
export function expertBank(
  scope: Scope,
  x: tf.Tensor4D,
  share: tf.Tensor2D,
  ranks: readonly number[],
): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const parts = ranks.map((rank, i) => {
    const [down, up] = [scope.at(`${i}.down`), scope.at(`${i}.up`)];
    return {
      down: down.param<tf.Rank.R4>('weight', [rank, channels, 3, 3], torchWeight),
      downBias: down.param<tf.Rank.R1>('bias', [rank], zeros),
      up: up.param<tf.Rank.R4>('weight', [channels, rank, 1, 1], torchWeight),
      upBias: up.param<tf.Rank.R1>('bias', [channels], zeros),
    };
  });
  const total = ranks.reduce((a, b) => a + b, 0);
  const down = convolve(
    x,
    tf.concat(
      parts.map((part) => part.down),
      0,
    ) as tf.Tensor4D,
    { stride: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 1 },
  ).add(
    tf.concat(
      parts.map((part) => part.downBias),
      0,
    ),
  );
  // Each expert's share, as often as it has ranks: a product with a constant 0/1 matrix.
  const spread = new Float32Array(ranks.length * total);
  ranks.reduce(
    (start, rank, i) => (spread.fill(1, i * total + start, i * total + start + rank), start + rank),
    0,
  );
  const weights = tf.matMul(share, tf.tensor2d(spread, [ranks.length, total])).reshape([batch, 1, 1, total]);
  const up = tf.concat(
    parts.map((part) => part.up.reshape([channels, -1])),
    1,
  );
  const y = tf.matMul(down.mul(weights).reshape([-1, total]), up as tf.Tensor2D, false, true);
  const bias = tf.matMul(share, tf.stack(parts.map((part) => part.upBias)) as tf.Tensor2D);
  return y
    .reshape([batch, height, width, channels])
    .add(bias.reshape([batch, 1, 1, channels])) as tf.Tensor4D;
}
