// Convolutional Block Attention Module (Woo et al. 2018): a gate for each channel, then a gate for each position.
import * as tf from '../../registry/tf.js';
import type { Scope } from '../../registry/index.js';
import { batchNorm, conv2d, linear } from './layers.js';
import { relu } from './ops/activations.js';
import { summary } from './ops/summary.js';

export interface CbamOptions {
  /** Channels of the hidden layer of the channel gate: channels / reduction, at least 1. */
  reduction?: number;
  /** Kernel of the spatial gate's convolution: 7 in CBAM, 1 for what MT-CP calls a 1x1 CBAM. */
  kernel?: number;
}

/** @param x [batch, height, width, channels] */
export function cbam(
  scope: Scope,
  x: tf.Tensor4D,
  { reduction = 16, kernel = 7 }: CbamOptions = {},
): tf.Tensor4D {
  const channels = x.shape[3];
  const hidden = Math.max(1, Math.floor(channels / reduction));

  // Both poolings go through one shared two-layer network, as two rows of a batch.
  const pooled = tf.concat(summary(x, [1, 2]), 0);
  const channel = scope.at('channel');
  const scores = linear(channel.at('fc2'), relu(linear(channel.at('fc1'), pooled, hidden)), channels);
  const [maximum, average] = tf.split(scores, 2, 0);
  const gated = x.mul(average.add(maximum).sigmoid()) as tf.Tensor4D;

  const spatial = scope.at('spatial');
  const map = conv2d(spatial.at('conv'), tf.concat(summary(gated, [3]), 3), 1, {
    kernel,
    padding: (kernel - 1) / 2,
    bias: false,
  });
  return gated.mul(batchNorm(spatial.at('norm'), map, { momentum: 0.01 }).sigmoid());
}
