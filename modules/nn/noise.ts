// Normal noise from the uniform numbers that a scope gives (Box and Muller 1958).
import * as tf from '../../registry/tf.js';
import type { Scope } from '../../registry/index.js';

/** Standard normal numbers of this shape, drawn at each step. */
export function gaussian<R extends tf.Rank>(scope: Scope, name: string, shape: number[]): tf.Tensor<R> {
  const [radius, angle] = [scope.noise<R>(`${name}_radius`, shape), scope.noise<R>(`${name}_angle`, shape)];
  // 1 - u is never 0.
  const length = radius.neg().add(1).log().mul(-2).sqrt();
  return length.mul(angle.mul(2 * Math.PI).cos()) as tf.Tensor<R>;
}
