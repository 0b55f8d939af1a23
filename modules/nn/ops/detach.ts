// The value without its history: what PyTorch calls detach.
import * as tf from '../../../registry/tf.js';
import { OPERATIONS } from '../../../registry/contracts/operations.js';
import { defineOp } from './op.js';

const op = defineOp(OPERATIONS.Detach, {
  composite: ({ x }) => x.clone(),
  gradient: () => ({}),
});

/** `x` as a constant of the same shape: no gradient flows through it. */
export function detach<R extends tf.Rank>(x: tf.Tensor<R>): tf.Tensor<R> {
  return op({ x })[0] as tf.Tensor<R>;
}
