// Padding of maps.
import * as tf from '../../registry/tf.js';

/** Zeros at the right and the bottom of [batch, height, width, channels], up to multiples of `side`. */
export function padToMultiple(x: tf.Tensor4D, side: number): tf.Tensor4D {
  const [, height, width] = x.shape;
  const missing = (extent: number) => (side - (extent % side)) % side;
  if (missing(height) === 0 && missing(width) === 0) return x;
  return tf.pad(x, [
    [0, 0],
    [0, missing(height)],
    [0, missing(width)],
    [0, 0],
  ]);
}
