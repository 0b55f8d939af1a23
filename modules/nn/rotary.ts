// Rotary position embeddings (Su et al. 2021) of image patches: pairs of a head's channels are rotated by angles that grow
// with the patch's position, half of them with its row and half with its column. As DINOv3 (Siméoni et al. 2025) has them.
import * as tf from '../../registry/tf.js';

/** Cosines and sines of the angles, [tokens, width of a head] each. */
export interface Rotation {
  cos: tf.Tensor2D;
  sin: tf.Tensor2D;
}

/**
 * Positions are the centres of patches in [-1, 1] along each axis, whatever the image's size.
 * @param prefix tokens in front of the patches, which have no position and stay as they are
 * @param width channels of a head, a multiple of 4
 * @param base largest period
 */
export function patchRotation(
  prefix: number,
  [rows, columns]: readonly [number, number],
  width: number,
  base: number,
): Rotation {
  const tokens = prefix + rows * columns;
  const quarter = width / 4;
  const cos = new Float32Array(tokens * width).fill(1);
  const sin = new Float32Array(tokens * width);
  const centre = (i: number, count: number) => (2 * (i + 0.5)) / count - 1;
  for (let patch = 0; patch < rows * columns; patch++) {
    const position = [centre(Math.floor(patch / columns), rows), centre(patch % columns, columns)];
    for (let c = 0; c < width; c++) {
      const i = c % (width / 2);
      const angle = (2 * Math.PI * position[Math.floor(i / quarter)]) / base ** ((i % quarter) / quarter);
      cos[(prefix + patch) * width + c] = Math.cos(angle);
      sin[(prefix + patch) * width + c] = Math.sin(angle);
    }
  }
  return { cos: tf.tensor2d(cos, [tokens, width]), sin: tf.tensor2d(sin, [tokens, width]) };
}

/** Channel c and channel c + width / 2 are a pair; `x` is [batch, heads, tokens, width]. */
export function rotate(x: tf.Tensor4D, { cos, sin }: Rotation): tf.Tensor4D {
  const [first, second] = tf.split(x, 2, 3);
  const across = tf.concat([second.neg(), first], 3);
  return x.mul(cos).add(across.mul(sin));
}
