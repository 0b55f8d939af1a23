// Affinities between each position and its neighbours: softmax over the taps of a window, and the mixture of
// neighbours by such weights.
import * as tf from '../../registry/tf.js';

const BLOCKED = -1e9;

/** The maps that each tap of a k x k window sees; zero outside. [batch, height, width, channels] each */
function shifts(x: tf.Tensor4D, kernel: number): tf.Tensor4D[] {
  const reach = (kernel - 1) / 2;
  const [batch, height, width, channels] = x.shape;
  const padded = tf.pad(x, [
    [0, 0],
    [reach, reach],
    [reach, reach],
    [0, 0],
  ]);
  return Array.from({ length: kernel * kernel }, (_, i) =>
    tf.slice(padded, [0, Math.floor(i / kernel), i % kernel, 0], [batch, height, width, channels]),
  );
}

/** [1, height, width, taps]: 0 where a tap is inside the map. */
function outside(height: number, width: number, kernel: number): tf.Tensor4D {
  const reach = (kernel - 1) / 2;
  const taps = kernel * kernel;
  const values = new Float32Array(height * width * taps);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let i = 0; i < taps; i++) {
        const [v, u] = [y + Math.floor(i / kernel) - reach, x + (i % kernel) - reach];
        if (v < 0 || v >= height || u < 0 || u >= width) values[(y * width + x) * taps + i] = BLOCKED;
      }
  return tf.tensor4d(values, [1, height, width, taps]);
}

/**
 * @param query [batch, height, width, channels]
 * @param key the same
 * @param border whether taps outside the map are left out, or take part with a score of zero (ATRC's kernels)
 * @returns weights of the neighbours, [batch, height, width, kernel^2], each row summing to one
 */
export function localAffinity(
  query: tf.Tensor4D,
  key: tf.Tensor4D,
  kernel: number,
  border: 'out' | 'zero' = 'out',
): tf.Tensor4D {
  const [, height, width, channels] = query.shape;
  const scaled = query.div<tf.Tensor4D>(Math.sqrt(channels));
  const scores = tf.concat(
    shifts(key, kernel).map((tap) => scaled.mul(tap).sum(3, true)),
    3,
  );
  return tf.softmax(border === 'zero' ? scores : scores.add(outside(height, width, kernel))) as tf.Tensor4D;
}

/**
 * Each position becomes the mixture of its neighbours.
 * @param weights as `localAffinity` gives them
 * @param x [batch, height, width, channels]; so is what is returned
 */
export function localGather(weights: tf.Tensor4D, x: tf.Tensor4D): tf.Tensor4D {
  const taps = weights.shape[3];
  const shares = tf.split(weights, taps, 3);
  const terms = shifts(x, Math.sqrt(taps)).map((tap, i) => tap.mul(shares[i]));
  return tf.addN(terms) as tf.Tensor4D;
}
