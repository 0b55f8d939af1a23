// Order of computation. An engine that runs a recorded graph may compute what it likes first; where several results
// share large inner values, as the gradients of one tile of an affinity do, it may compute one of them for all tiles
// and keep every tile's inner values for the others. `after` makes a tile wait for the one before it.
import * as tf from '../../../registry/tf.js';
import { OPERATIONS } from '../../../registry/contracts/operations.js';
import { defineOp } from './op.js';

const op = defineOp(OPERATIONS.After, {
  composite: ({ x }) => x.clone(),
  gradient: ([dy]) => ({ x: () => dy }),
});

/** `x`, small and of any shape, but not before all of `first` is there. */
export function after<R extends tf.Rank>(x: tf.Tensor<R>, first: readonly tf.Tensor[]): tf.Tensor<R> {
  return first.reduce(
    (waiting, other) => op({ x: waiting, first: other })[0],
    x as tf.Tensor,
  ) as tf.Tensor<R>;
}
