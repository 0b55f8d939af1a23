// How losses average: over what is valid, and to exactly 0, without a gradient, when nothing is.
import * as tf from '../../../registry/tf.js';
import type { LossValue } from '../../../registry/index.js';

/**
 * @param errors error of each element
 * @param mask 1 where an element counts, 0 elsewhere; same shape
 */
export function averageOverValid(errors: tf.Tensor, mask: tf.Tensor): LossValue {
  const valid = mask.sum() as tf.Scalar;
  return {
    value: errors
      .mul(mask)
      .sum()
      .div(tf.maximum(valid, tf.scalar(1))) as tf.Scalar,
    valid,
  };
}
