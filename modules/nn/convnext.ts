// ConvNeXt's blocks (Liu et al. 2022; Woo et al. 2023) over NHWC maps: a depthwise convolution, then a network of two layers
// for each position, whose inner map version 2 normalises over the image. Parameter names are those of transformers.
import * as tf from '../../registry/tf.js';
import type { Scope } from '../../registry/index.js';
import { constant, truncatedNormal, zeros } from './initializers.js';
import { conv2d, dropPath, layerNorm, linear } from './layers.js';
import { gelu } from './ops/activations.js';

export const CONVNEXT_EPSILON = 1e-6;
export const convnextInit = { weightInit: truncatedNormal(0.02), biasInit: zeros };

export interface ConvNextBlockOptions {
  /** 1 scales each block's branch by learnt factors, 2 has global response normalisation in it. */
  version: 1 | 2;
  dropPath: number;
}

/** @param x [batch, height, width, channels] */
export function convNextBlock(
  scope: Scope,
  x: tf.Tensor4D,
  { version, dropPath: drop }: ConvNextBlockOptions,
): tf.Tensor4D {
  const channels = x.shape[3];
  const around = conv2d(scope.at('dwconv'), x, channels, {
    kernel: 7,
    padding: 3,
    groups: channels,
    ...convnextInit,
  });
  const normalized = layerNorm(scope.at('layernorm'), around, CONVNEXT_EPSILON);
  const inner = gelu(linear(scope.at('pwconv1'), normalized, 4 * channels, convnextInit));
  const hidden = version === 2 ? globalResponseNorm(scope.at('grn'), inner) : inner;
  const mixed = linear(scope.at('pwconv2'), hidden, channels, convnextInit);
  const branch =
    version === 2
      ? mixed
      : mixed.mul<tf.Tensor4D>(scope.param('layer_scale_parameter', [channels], constant(1e-6)));
  return x.add(dropPath(scope, branch, drop));
}

/**
 * Global response normalisation (Woo et al. 2023): each channel is scaled by its norm over the image, relative to the mean
 * of all channels' norms, and added to what came in.
 * @param x [batch, height, width, channels]
 */
export function globalResponseNorm(scope: Scope, x: tf.Tensor4D): tf.Tensor4D {
  const shape = [1, 1, 1, x.shape[3]];
  // The gradient of a root at 0 is infinite: a channel that is 0 everywhere would make it NaN.
  const norms = x.square().sum([1, 2], true).add(TINY).sqrt();
  const response = norms.div(norms.mean(3, true).add(1e-6));
  const weight = scope.param<tf.Rank.R4>('weight', shape, zeros);
  return x
    .mul(response)
    .mul(weight)
    .add(scope.param('bias', shape, zeros))
    .add(x);
}

const TINY = 1e-20;
