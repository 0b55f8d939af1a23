// MLoRE's router: chooses the experts that a task uses for an image, and their shares.
import * as tf from '../../registry/tf.js';
import type { Scope } from '../../registry/index.js';
import { conv2d, layerNorm, linear } from './layers.js';
import { gaussian } from './noise.js';
import { gelu } from './ops/activations.js';
import { vitInit } from './vit.js';

export interface RoutingOptions {
  top: number;
  select: 'before_softmax' | 'after_softmax';
  noise: boolean;
}

/** Far below any score; exp of it is 0. */
const DROPPED = 1e10;

/**
 * @param x [batch, height, width, channels]; the number of positions is part of the parameters' shape
 * @returns `share` of each expert, [batch, experts], 0 for all but the `top` ones; `gain` of the task's own branch,
 *   [batch, 1, 1, 1]
 */
export function route(
  scope: Scope,
  x: tf.Tensor4D,
  experts: number,
  { top, select, noise }: RoutingOptions,
): { share: tf.Tensor2D; gain: tf.Tensor4D } {
  const [batch, height, width, channels] = x.shape;
  const narrow = Math.max(1, Math.floor(channels / 4));
  const local = gelu(layerNorm(scope.at('norm'), conv2d(scope.at('conv1'), x, narrow, { kernel: 1 })));
  const first = conv2d(scope.at('conv3'), local, narrow, { kernel: 1 }).mean([1, 2]);
  const byChannel = x.reshape([batch, height * width, channels]).transpose([0, 2, 1]) as tf.Tensor3D;
  const whole = linear(scope.at('places'), byChannel, 1, vitInit).reshape([batch, channels]) as tf.Tensor2D;
  const second = linear1x1(scope.at('conv2'), gelu(layerNorm(scope.at('places_norm'), whole)), narrow);
  const all = linear1x1(scope.at('scores'), tf.concat([first, second], 1) as tf.Tensor2D, 2 * experts + 1);
  const [clean, strength, gain] = tf.split(all, [experts, experts, 1], 1) as tf.Tensor2D[];
  const scores: tf.Tensor2D =
    noise && scope.training ? clean.add(strength.mul(gaussian(scope, 'routing', [batch, experts]))) : clean;
  const kept = topMask(scores, top);
  const share =
    select === 'before_softmax'
      ? tf.softmax(scores.mul(kept).sub(kept.neg().add(1).mul(DROPPED)))
      : tf.softmax(scores).mul(kept);
  return { share: share as tf.Tensor2D, gain: gain.reshape([batch, 1, 1, 1]) };
}

/** A 1x1 convolution on a map of one position for each image: [batch, in] -> [batch, out]. */
function linear1x1(scope: Scope, x: tf.Tensor2D, out: number): tf.Tensor2D {
  const [batch, inputs] = x.shape;
  return conv2d(scope, x.reshape([batch, 1, 1, inputs]), out, { kernel: 1 }).reshape([batch, out]);
}

/** 1 for the `top` largest of each row, 0 elsewhere; no gradient. */
function topMask(scores: tf.Tensor2D, top: number): tf.Tensor2D {
  // How many others are larger.
  const larger = tf.greater(scores.expandDims(1), scores.expandDims(2)).cast('float32').sum(2);
  return tf.less(larger, top).cast('float32') as tf.Tensor2D;
}

/**
 * The squared coefficient of variation: unbiased variance over squared mean. Without a square root on the way, whose
 * gradient is infinite where all values are equal.
 * @param x [n], n at least 2
 */
export function squaredVariation(x: tf.Tensor): tf.Scalar {
  const mean = x.mean();
  const variance = x
    .sub(mean)
    .square()
    .sum()
    .div(x.size - 1);
  return variance.div(mean.square()) as tf.Scalar;
}
