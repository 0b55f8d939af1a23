// Blocks of Swin V2 (Liu et al. 2022) over NHWC maps: attention by cosines, a bias that a small network computes from
// log-spaced offsets, norms at the end of each branch. Parameter names are those of transformers' Swinv2.
import * as tf from '../../registry/tf.js';
import type { Scope } from '../../registry/index.js';
import { splitHeads } from './attention.js';
import { feedForward } from './feed-forward.js';
import { constant, normal, zeros } from './initializers.js';
import { dropPath, layerNorm, linear } from './layers.js';
import { relu } from './ops/activations.js';
import { relativePositions } from './ops/relative-positions.js';
import { fromWindows, mergeNeighbours, mixInWindows, toWindows } from './swin.js';

export const swinV2Init = { weightInit: normal(0.02), biasInit: zeros };

export interface SwinV2BlockOptions {
  heads: number;
  window: number;
  /** 0, or half a window in every second block. */
  shift: number;
  /** Window in which the bias was trained before; 0: this one. */
  pretrainedWindow: number;
  mlpRatio: number;
  dropPath: number;
}

/** Width of the network of the bias. */
const BIAS_WIDTH = 512;
/** Largest factor on cosines. */
const LARGEST_SCALE = 100;

/** @param x [batch, height, width, channels] */
export function swinV2Block(scope: Scope, x: tf.Tensor4D, options: SwinV2BlockOptions): tf.Tensor4D {
  const { mlpRatio, dropPath: drop } = options;
  const attended = windowAttention(scope.at('attention'), x, options);
  const y: tf.Tensor4D = x.add(
    dropPath(scope.at('drop_path1'), layerNorm(scope.at('layernorm_before'), attended), drop),
  );
  const inner = { hidden: Math.trunc(x.shape[3] * mlpRatio), activation: 'gelu', ...swinV2Init } as const;
  const mixed = feedForward(scope.at('intermediate.dense'), scope.at('output.dense'), y, inner);
  return y.add(dropPath(scope.at('drop_path2'), layerNorm(scope.at('layernorm_after'), mixed), drop));
}

function windowAttention(scope: Scope, x: tf.Tensor4D, options: SwinV2BlockOptions): tf.Tensor4D {
  const { heads, window, shift } = options;
  const channels = x.shape[3];
  const self = scope.at('self');
  const windows = toWindows(x, window, shift);
  // A bias of keys would cancel in plain attention; here they have none.
  const project = (name: string, bias = true) =>
    splitHeads(linear(self.at(name), windows, channels, { ...swinV2Init, bias }), heads);
  const [q, k, v] = [project('query'), project('key', false), project('value')];
  const log = self.param<tf.Rank.R3>('logit_scale', [heads, 1, 1], constant(Math.log(10)));
  const scale = tf.minimum(log, Math.log(LARGEST_SCALE)).exp();
  const scores = tf.matMul(unit(q), unit(k), false, true).mul<tf.Tensor4D>(scale);
  const mixed = mixInWindows(scores, positionBias(self, options), v, x, window, shift);
  return fromWindows(linear(scope.at('output.dense'), mixed, channels, swinV2Init), x, window, shift);
}

/** Vectors of length 1 along the last axis; those of length 0 stay. */
function unit(x: tf.Tensor4D): tf.Tensor4D {
  return x.mul(tf.rsqrt(tf.maximum(x.square().sum(3, true), 1e-24)));
}

/** [heads, window^2, window^2], between 0 and 16. */
function positionBias(scope: Scope, { heads, window, pretrainedWindow }: SwinV2BlockOptions): tf.Tensor3D {
  const mlp = scope.at('continuous_position_bias_mlp');
  const inner = relu(
    linear(mlp.at('0'), logOffsets(window, pretrainedWindow || window), BIAS_WIDTH, swinV2Init),
  );
  const table = linear(mlp.at('2'), inner, heads, { ...swinV2Init, bias: false });
  return relativePositions(table.sigmoid().mul<tf.Tensor2D>(16), window);
}

/** Offsets (down, across) of all pairs of positions in a window, log-spaced: 1 for 7/8 of the pretrained window's. */
function logOffsets(window: number, pretrained: number): tf.Tensor2D {
  const span = 2 * window - 1;
  const values = new Float32Array(span * span * 2);
  const spaced = (i: number) => {
    const offset = (8 * (i - window + 1)) / Math.max(1, pretrained - 1);
    return (Math.sign(offset) * Math.log2(Math.abs(offset) + 1)) / Math.log2(8);
  };
  for (let row = 0; row < span; row++)
    for (let column = 0; column < span; column++)
      values.set([spaced(row), spaced(column)], 2 * (row * span + column));
  return tf.tensor2d(values, [span * span, 2]);
}

/** As in version 1, but normalised after the projection: [batch, height / 2, width / 2, 2 * channels]. */
export function patchMergingV2(scope: Scope, x: tf.Tensor4D): tf.Tensor4D {
  const merged = linear(scope.at('reduction'), mergeNeighbours(x), 2 * x.shape[3], {
    ...swinV2Init,
    bias: false,
  });
  return layerNorm(scope.at('norm'), merged);
}
