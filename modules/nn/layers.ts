// The layers that everything is built from. Each is a function of a scope, whose parameters it owns, and its
// input; parameter names and shapes are PyTorch's (weight, bias, running_mean, ...).
import * as tf from '../../registry/tf.js';
import { MtcpError, type Initializer, type Scope } from '../../registry/index.js';
import { constant, ones, torchBias, torchWeight, zeros } from './initializers.js';
import { relu } from './ops/activations.js';
import { batchNormalize } from './ops/batch-norm.js';
import { conv2d as convolve } from './ops/convolution.js';
import { layerNorm as normalizeLayer } from './ops/layer-norm.js';

export interface LinearOptions {
  bias?: boolean;
  weightInit?: Initializer;
  biasInit?: Initializer;
}

/**
 * y = x W^T + b
 * @param x [..., in]
 * @returns [..., out]
 */
export function linear<R extends tf.Rank>(
  scope: Scope,
  x: tf.Tensor<R>,
  out: number,
  { bias = true, weightInit = torchWeight, biasInit }: LinearOptions = {},
): tf.Tensor<R> {
  const inputs = x.shape[x.rank - 1];
  const flat = x.reshape([-1, inputs]) as tf.Tensor2D;
  const options = { weightInit, biasInit };
  let y: tf.Tensor;
  if (bias) {
    const [weight, offset] = linearParameters(scope, inputs, out, options);
    y = tf.matMul(flat, weight, false, true).add(offset);
  } else y = tf.matMul(flat, scope.param<tf.Rank.R2>('weight', [out, inputs], weightInit), false, true);
  return y.reshape([...x.shape.slice(0, -1), out]) as tf.Tensor<R>;
}

/** Weight [out, inputs] and bias [out] of a linear layer. */
export function linearParameters(
  scope: Scope,
  inputs: number,
  out: number,
  { weightInit = torchWeight, biasInit }: LinearOptions = {},
): [weight: tf.Tensor2D, bias: tf.Tensor1D] {
  return [
    scope.param<tf.Rank.R2>('weight', [out, inputs], weightInit),
    scope.param<tf.Rank.R1>('bias', [out], biasInit ?? torchBias(inputs)),
  ];
}

export interface ConvOptions extends LinearOptions {
  kernel: number;
  stride?: number;
  /** The same on all sides; default 0. */
  padding?: number;
  dilation?: number;
  groups?: number;
}

/**
 * @param x [batch, height, width, in]
 * @returns [batch, height', width', out]
 */
export function conv2d(
  scope: Scope,
  x: tf.Tensor4D,
  out: number,
  {
    kernel,
    stride = 1,
    padding = 0,
    dilation = 1,
    groups = 1,
    bias = true,
    weightInit = torchWeight,
    biasInit,
  }: ConvOptions,
): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const weight = scope.param<tf.Rank.R4>('weight', [out, channels / groups, kernel, kernel], weightInit);
  const biased = (y: tf.Tensor): tf.Tensor =>
    bias
      ? y.add(scope.param('bias', [out], biasInit ?? torchBias((channels / groups) * kernel * kernel)))
      : y;
  if (groups === 1 && padding === 0 && stride === kernel && height % kernel === 0 && width % kernel === 0) {
    // Patches that do not overlap (1x1 convolutions among them) are a plain matrix product.
    const [rows, columns] = [height / kernel, width / kernel];
    const patches =
      kernel === 1
        ? x
        : x.reshape([batch, rows, kernel, columns, kernel, channels]).transpose([0, 1, 3, 5, 2, 4]);
    const y = tf.matMul(
      patches.reshape([-1, channels * kernel * kernel]),
      weight.reshape([out, -1]),
      false,
      true,
    );
    return biased(y).reshape([batch, rows, columns, out]) as tf.Tensor4D;
  }
  const y = convolve(x, weight, {
    stride: [stride, stride],
    padding: [padding, padding, padding, padding],
    dilation: [dilation, dilation],
    groups,
  });
  return biased(y) as tf.Tensor4D;
}

/** @param x [..., channels] */
export function layerNorm<R extends tf.Rank>(scope: Scope, x: tf.Tensor<R>, epsilon = 1e-5): tf.Tensor<R> {
  const channels = x.shape[x.rank - 1];
  if (channels === 1)
    scope.degenerate(
      'layer normalisation over 1 channel gives its bias, whatever goes in',
      'give it more channels',
    );
  const gamma = scope.param<tf.Rank.R1>('weight', [channels], ones);
  return normalizeLayer(x, gamma, scope.param<tf.Rank.R1>('bias', [channels], zeros), epsilon);
}

export interface BatchNormOptions {
  epsilon?: number;
  /** Share of the new statistics in the running ones. */
  momentum?: number;
  /** How the scale starts; default 1. */
  weightInit?: Initializer;
}

/**
 * Statistics over all axes but the last: of the batch in training, the running ones otherwise and where they are frozen.
 * @param x [..., channels]
 */
export function batchNorm<R extends tf.Rank>(
  scope: Scope,
  x: tf.Tensor<R>,
  { epsilon = 1e-5, momentum = 0.1, weightInit = ones }: BatchNormOptions = {},
): tf.Tensor<R> {
  const channels = x.shape[x.rank - 1];
  const gamma = scope.param<tf.Rank.R1>('weight', [channels], weightInit);
  const beta = scope.param<tf.Rank.R1>('bias', [channels], zeros);
  const mean = scope.buffer<tf.Rank.R1>('running_mean', [channels], 0);
  const variance = scope.buffer<tf.Rank.R1>('running_var', [channels], 1);
  if (!scope.training || (mean.frozen && variance.frozen)) {
    const scale = gamma.mul(tf.rsqrt(variance.value.add(epsilon)));
    return x.mul(scale).add(beta.sub(mean.value.mul(scale)));
  }
  const batch = batchNormalize(x, gamma, beta, epsilon);
  const count = x.size / channels;
  if (count === 1)
    scope.degenerate(
      'batch normalisation over 1 value for each channel gives its bias, whatever goes in',
      'give every micro-batch 2 images at least (train.batch divided by train.accumulate)',
    );
  mean.average(batch.mean, momentum);
  // Running variance is the unbiased estimate, the one that normalises is not.
  variance.average(batch.variance.mul(count / Math.max(1, count - 1)), momentum);
  return batch.y;
}

/**
 * Group normalisation (Wu and He 2018) over [batch, height, width, channels].
 */
export function groupNorm(scope: Scope, x: tf.Tensor4D, groups: number, epsilon = 1e-5): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape;
  if (channels % groups !== 0)
    throw new MtcpError('component', `${groups} groups cannot share ${channels} channels evenly`, {
      hint: `the number of groups must divide ${channels}`,
    });
  if ((height * width * channels) / groups === 1)
    scope.degenerate(
      'group normalisation over 1 value gives its bias, whatever goes in',
      'make the groups fewer, or the map larger',
    );
  const gamma = scope.param<tf.Rank.R1>('weight', [channels], ones);
  const beta = scope.param<tf.Rank.R1>('bias', [channels], zeros);
  const grouped = x.reshape([batch, height * width, groups, channels / groups]);
  const mean = grouped.mean([1, 3], true);
  const centered = grouped.sub(mean);
  const inverse = tf.rsqrt(centered.square().mean([1, 3], true).add(epsilon));
  return centered.mul(inverse).reshape(x.shape).mul(gamma).add(beta) as tf.Tensor4D;
}

/**
 * Two linear layers with an activation between them: the feed-forward part of a transformer block. On the
 * last axis of
 * `x`, [..., channels], by way of `hidden`.
 */
export function mlp<R extends tf.Rank>(
  scopes: { first: Scope; second: Scope },
  x: tf.Tensor<R>,
  hidden: number,
  activation: <S extends tf.Rank>(x: tf.Tensor<S>) => tf.Tensor<S> = relu,
): tf.Tensor<R> {
  const out = x.shape[x.rank - 1];
  return linear(scopes.second, activation(linear(scopes.first, x, hidden)), out);
}

/** A learnt table: [rows, columns], standard normal as torch's Embedding starts. */
export function embedding(
  scope: Scope,
  rows: number,
  columns: number,
  init: Initializer = constant(0),
): tf.Tensor2D {
  return scope.param<tf.Rank.R2>('weight', [rows, columns], init);
}

/**
 * Stochastic depth (Huang et al. 2016): in training a whole sample's branch is dropped with this probability
 * and the others are scaled up; `x`, [batch, ...], is the branch before it is added.
 */
export function dropPath<R extends tf.Rank>(
  scope: Scope,
  x: tf.Tensor<R>,
  probability: number,
): tf.Tensor<R> {
  if (!scope.training || probability === 0) return x;
  const draw = scope.noise('drop_path', [x.shape[0], ...Array<number>(x.rank - 1).fill(1)]);
  const kept = tf.step(draw.sub(probability));
  return x.mul(kept.div(1 - probability));
}

/**
 * Dropout of whole channels of [batch, height, width, channels] (Tompson et al. 2015; PyTorch's Dropout2d).
 */
export function dropChannels(scope: Scope, x: tf.Tensor4D, probability: number): tf.Tensor4D {
  if (!scope.training || probability === 0) return x;
  const kept = tf.step(scope.noise('drop_channels', [x.shape[0], 1, 1, x.shape[3]]).sub(probability));
  return x.mul(kept.div(1 - probability));
}

/** Dropout (Srivastava et al. 2014), element by element; any shape. */
export function dropout<R extends tf.Rank>(scope: Scope, x: tf.Tensor<R>, probability: number): tf.Tensor<R> {
  if (!scope.training || probability === 0) return x;
  const kept = tf.step(scope.noise('dropout', [...x.shape]).sub(probability));
  return x.mul(kept.div(1 - probability));
}
