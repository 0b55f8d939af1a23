// The feed-forward part of a transformer block: two linear layers with an activation between them. Its inner map is
// several times as wide as its input and the largest that a block keeps for the backward pass. Where memory asks for
// it, the inner map is computed again there (gradient checkpointing, Chen et al. 2016), for one matrix product more.
import type * as tf from '../../registry/tf.js';
import { matMul } from '../../registry/tf.js';
import { recomputes } from '../../registry/contracts/memory.js';
import { OPERATIONS } from '../../registry/contracts/operations.js';
import type { Scope } from '../../registry/index.js';
import { linear, linearParameters, type LinearOptions } from './layers.js';
import { gelu, geluSlope, relu, reluSlope } from './ops/activations.js';
import { recomputed } from './ops/recomputed.js';
import { defineOp } from './ops/op.js';

const ACTIVATIONS = {
  gelu: { of: gelu, slope: geluSlope },
  relu: { of: relu, slope: reluSlope },
};

export interface FeedForwardOptions extends Pick<LinearOptions, 'weightInit' | 'biasInit'> {
  hidden: number;
  activation: keyof typeof ACTIVATIONS;
}

/**
 * second(activation(first(x)))
 * @param x [..., channels]
 * @returns like x
 */
export function feedForward<R extends tf.Rank>(
  first: Scope,
  second: Scope,
  x: tf.Tensor<R>,
  { hidden, activation, ...init }: FeedForwardOptions,
): tf.Tensor<R> {
  const channels = x.shape[x.rank - 1];
  const rows = x.size / channels;
  if (!first.training || !recomputes(first.memory, rows * hidden))
    return linear(second, ACTIVATIONS[activation].of(linear(first, x, hidden, init)), channels, init);
  const [w1, b1] = linearParameters(first, channels, hidden, init);
  const [w2, b2] = linearParameters(second, hidden, channels, init);
  const inputs = { x: x.reshape([rows, channels]) as tf.Tensor2D, w1, b1, w2, b2 };
  return op(inputs, { activation })[0].reshape(x.shape) as tf.Tensor<R>;
}

/** x [rows, channels], w1 [hidden, channels], b1 [hidden], w2 [channels, hidden], b2 [channels] */
const op = defineOp(OPERATIONS.FeedForward, {
  composite({ x, w1, b1, w2, b2 }, { activation }) {
    const inner = ACTIVATIONS[activation].of(matMul(x, w1, false, true).add(b1));
    return matMul(inner as tf.Tensor2D, w2, false, true).add(b2);
  },
  gradient([dy], { x, w1, b1, w2 }, _, { activation }) {
    const { of, slope } = ACTIVATIONS[activation];
    const upstream = dy as tf.Tensor2D;
    const before = recomputed(() => matMul(x, w1, false, true).add(b1)) as tf.Tensor2D;
    const dw2 = matMul(upstream, of(before), true, false);
    const dBefore = matMul(upstream, w2).mul(slope(before)) as tf.Tensor2D;
    return {
      x: () => matMul(dBefore, w1),
      w1: () => matMul(dBefore, x, true, false),
      b1: () => dBefore.sum(0),
      w2: () => dw2,
      b2: () => upstream.sum(0),
    };
  },
});
