// Attention between two tasks' maps as ATRC has it (Bruggemann et al. 2021): what the target task asks for, in the
// source task's features, over one of four kinds of context.
import * as tf from '../../registry/tf.js';
import type { Scope } from '../../registry/index.js';
import { xavierUniform } from './initializers.js';
import { extentOf } from './levels.js';
import { localAffinity, localGather } from './local-affinity.js';
import { relu } from './ops/activations.js';
import { convNorm } from './residual.js';

/** The kinds that are searched over; `none` is no exchange. */
export const CONTEXTS = ['none', 'global', 'local', 'target_label', 'source_label'] as const;
export type Context = (typeof CONTEXTS)[number];

/** Side of the window of local context, in cells. */
const WINDOW = 9;
const EPSILON = 1e-12;

export interface ContextInputs {
  /** [batch, height, width, channels] */
  target: tf.Tensor4D;
  source: tf.Tensor4D;
  /** Soft regions of the auxiliary prediction of the task that the context asks for: see `regionsOf`. */
  regions?: tf.Tensor3D;
}

/**
 * Where each class is: a softmax over all positions for each class.
 * @param scores auxiliary prediction, [batch, height, width, classes]
 * @returns [batch, classes, height * width], rows summing to one
 */
export function regionsOf(scores: tf.Tensor4D): tf.Tensor3D {
  const [batch, height, width, classes] = scores.shape;
  return tf.softmax(scores.reshape([batch, height * width, classes]).transpose([0, 2, 1]));
}

/** @returns [batch, height, width, channels] */
export function contextAttention(
  scope: Scope,
  context: Exclude<Context, 'none'>,
  { target, source, regions }: ContextInputs,
  channels: number,
): tf.Tensor4D {
  const [batch, height, width] = target.shape;
  const back = (tokens: tf.Tensor) => tokens.reshape([batch, height, width, channels]) as tf.Tensor4D;
  switch (context) {
    case 'global': {
      // Linear attention (Katharopoulos et al. 2020) with softplus features: no matrix of all pairs of positions.
      const positive = (name: string, x: tf.Tensor4D) =>
        tokensOf(tf.softplus(twice(scope.at(name), x, channels)));
      const [query, key] = [positive('query', target), positive('key', source)];
      const summary = tf.matMul(key, tokensOf(value(scope, source, channels)), true);
      const weight = tf.matMul(query, key.sum(1, true), false, true);
      return back(tf.matMul(query, summary).div(tf.maximum(weight, EPSILON)));
    }
    case 'local': {
      const query = relu(twice(scope.at('query'), target, channels));
      const key = relu(twice(scope.at('key'), source, channels));
      return localGather(localAffinity(query, key, WINDOW, 'zero'), value(scope, source, channels));
    }
    default: {
      // One vector for each class: the source's features, averaged over the region.
      const means = tf.matMul(regions!, tokensOf(source)).expandDims(2) as tf.Tensor4D;
      const query = tokensOf(relu(twice(scope.at('query'), target, channels)));
      const key = tokensOf(relu(twice(scope.at('key'), means, channels)));
      const scores = tf.matMul(query.div(Math.sqrt(channels)), key, false, true);
      return back(tf.matMul(tf.softmax(scores), tokensOf(value(scope, means, channels))));
    }
  }
}

/** 1x1 convolution, norm, ReLU, 1x1 convolution, norm. */
function twice(scope: Scope, x: tf.Tensor4D, channels: number): tf.Tensor4D {
  const layer = (i: number, y: tf.Tensor4D) =>
    convNorm(scope, [`${i}.conv`, `${i}.norm`], y, channels, { kernel: 1, weightInit: xavierUniform });
  return layer(1, relu(layer(0, x)));
}

function value(scope: Scope, x: tf.Tensor4D, channels: number): tf.Tensor4D {
  const options = { kernel: 1, weightInit: xavierUniform };
  return relu(convNorm(scope.at('value'), ['conv', 'norm'], x, channels, options));
}

/** [batch, height * width, channels] */
function tokensOf(x: tf.Tensor4D): tf.Tensor3D {
  const [rows, columns] = extentOf(x);
  return x.reshape([x.shape[0], rows * columns, x.shape[3]]);
}
