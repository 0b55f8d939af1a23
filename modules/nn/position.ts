// Sine position embeddings of DETR (Carion et al. 2020), as Mask2Former uses them.
import * as tf from '../../registry/tf.js';

/**
 * Half of the channels for the row, then half for the column; sine and cosine alternate. Coordinates count
 * from 1 and are scaled so that the last one is 2 pi.
 * @returns [1, height * width, channels]
 */
export function sinePositions(
  height: number,
  width: number,
  channels: number,
  temperature = 10000,
): tf.Tensor3D {
  const features = channels / 2;
  const values = new Float32Array(height * width * channels);
  const scaled = (index: number, count: number) => ((index + 1) / (count + 1e-6)) * 2 * Math.PI;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const base = (y * width + x) * channels;
      for (let f = 0; f < features; f++) {
        const period = temperature ** ((2 * Math.floor(f / 2)) / features);
        const wave = f % 2 === 0 ? Math.sin : Math.cos;
        values[base + f] = wave(scaled(y, height) / period);
        values[base + features + f] = wave(scaled(x, width) / period);
      }
    }
  return tf.tensor3d(values, [1, height * width, channels]);
}
