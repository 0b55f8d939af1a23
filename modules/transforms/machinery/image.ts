// Steps on images that both input pipelines share.
import type { MapData } from '../../../registry/index.js';

const MEAN = [0.485, 0.456, 0.406];
const DEVIATION = [0.229, 0.224, 0.225];

/** Normalised value of every byte, for each channel. */
export type NormalisingTables = readonly [Float32Array, Float32Array, Float32Array];

/** @param change of bytes, before they are normalised */
export const normalisingTables = (change?: Uint8Array): NormalisingTables => [
  tableOf(0, change),
  tableOf(1, change),
  tableOf(2, change),
];

function tableOf(channel: number, change?: Uint8Array): Float32Array {
  const table = new Float32Array(256);
  for (let value = 0; value < 256; value++)
    table[value] = ((change ? change[value] : value) / 255 - MEAN[channel]) / DEVIATION[channel];
  return table;
}

/** To ImageNet's mean and deviation. */
export const NORMALISED = normalisingTables();

/**
 * Normalises pixels of bytes.
 * @param mirrored the last pixel first
 */
export function normalisePixels(
  bytes: Uint8Array,
  [red, green, blue]: NormalisingTables,
  out: Float32Array,
  at: number,
  mirrored = false,
): void {
  const step = mirrored ? -3 : 3;
  const end = at + bytes.length;
  for (let to = at, from = mirrored ? bytes.length - 3 : 0; to < end; to += 3, from += step) {
    out[to] = red[bytes[from]];
    out[to + 1] = green[bytes[from + 1]];
    out[to + 2] = blue[bytes[from + 2]];
  }
}

/** The photograph that was normalised, 0..255. */
export function denormalise({ height, width, channels, data }: MapData): MapData {
  const out = Float32Array.from(data, (v, i) => 255 * (v * DEVIATION[i % 3] + MEAN[i % 3]));
  return { height, width, channels, data: out };
}

export function mapValues<T>(record: Record<string, T>, f: (value: T, key: string) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, f(value, key)]));
}
