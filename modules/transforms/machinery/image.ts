// Steps on images that both input pipelines share.
import type { MapData } from '../../../registry/index.js';

const MEAN = [0.485, 0.456, 0.406];
const DEVIATION = [0.229, 0.224, 0.225];

/** Normalised value of every byte in every channel. */
const NORMALISED = MEAN.map((mean, channel) =>
  Float32Array.from({ length: 256 }, (_, value) => (value / 255 - mean) / DEVIATION[channel]),
);

/**
 * Drops fractions, then scales to ImageNet's mean and deviation.
 * @param wrap what is below 0 or above 255 wraps around, as in a cast to bytes, instead of being clipped
 */
export function normalise({ height, width, channels, data }: MapData, wrap = false): MapData {
  const out = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const value = Math.trunc(data[i]);
    out[i] = NORMALISED[i % 3][wrap ? value & 255 : value < 0 ? 0 : value > 255 ? 255 : value];
  }
  return { height, width, channels, data: out };
}

/** The photograph that was normalised, 0..255. */
export function denormalise({ height, width, channels, data }: MapData): MapData {
  const out = Float32Array.from(data, (v, i) => 255 * (v * DEVIATION[i % 3] + MEAN[i % 3]));
  return { height, width, channels, data: out };
}

export function mapValues<T>(record: Record<string, T>, f: (value: T, key: string) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, f(value, key)]));
}
