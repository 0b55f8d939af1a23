// How losses average: over what is valid, and to exactly 0, without a gradient, when nothing is.
import * as tf from '../../../registry/tf.js';
import type { LossValue } from '../../../registry/index.js';

/**
 * @param errors error of each element
 * @param mask 1 where an element counts, 0 elsewhere; same shape
 * @param weights of the elements, same shape; the mean is over their sum. All weigh the same if absent
 */
export function averageOverValid(errors: tf.Tensor, mask: tf.Tensor, weights?: tf.Tensor): LossValue {
  const valid = mask.sum() as tf.Scalar;
  const counted = weights ? mask.mul(weights) : mask;
  const total = weights ? tf.maximum(counted.sum(), tf.scalar(1e-12)) : tf.maximum(valid, tf.scalar(1));
  return { value: errors.mul(counted).sum().div(total) as tf.Scalar, valid };
}
