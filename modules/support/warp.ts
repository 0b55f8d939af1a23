// Geometry with OpenCV's conventions, so that augmented samples equal those of the published pipelines.
// Pixel centres lie at half-integers when resizing, at integers when warping; nothing is antialiased; cubic
// is Keys' kernel with a = -0.75. Like OpenCV, `warpAffine` finds source positions in fixed point: rounded to
// a pixel for nearest, to 1/32 of a pixel for cubic. Inputs are never changed.
import type { MapData } from '../../registry/index.js';

export type Interpolation = 'nearest' | 'cubic';

/** [a, b, c, d, e, f]: x' = a x + b y + c, y' = d x + e y + f. */
export type Affine = readonly [number, number, number, number, number, number];

/** OpenCV's getRotationMatrix2D: `degrees` counter-clockwise and `scale` about (x, y). */
export function rotationMatrix(x: number, y: number, degrees: number, scale: number): Affine {
  const cos = Math.cos((degrees * Math.PI) / 180) * scale;
  const sin = Math.sin((degrees * Math.PI) / 180) * scale;
  return [cos, sin, (1 - cos) * x - sin * y, -sin, cos, sin * x + (1 - cos) * y];
}

export function invertAffine([a, b, c, d, e, f]: Affine): Affine {
  const determinant = a * e - b * d;
  const [p, q, r, s] = [e / determinant, -b / determinant, -d / determinant, a / determinant];
  return [p, q, -p * c - q * f, r, s, -r * c - s * f];
}

/** Weights of the four pixels around a position `t` of the way from the second to the third. */
function cubicWeights(t: number, into: Float64Array, at: number): void {
  const a = -0.75;
  into[at] = ((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a;
  into[at + 1] = ((a + 2) * t - (a + 3)) * t * t + 1;
  into[at + 2] = ((a + 2) * (1 - t) - (a + 3)) * (1 - t) * (1 - t) + 1;
  into[at + 3] = 1 - into[at] - into[at + 1] - into[at + 2];
}

/** Bits of a source position after the point while it is computed, and those that choose cubic weights. */
const POSITION_BITS = 10;
const WEIGHT_BITS = 5;
const ONE = 1 << POSITION_BITS;
const STEPS = 1 << WEIGHT_BITS;
const STEP_WEIGHTS = new Float64Array(4 * STEPS);
for (let step = 0; step < STEPS; step++) cubicWeights(step / STEPS, STEP_WEIGHTS, 4 * step);

/**
 * Moves the content by `forward` (source to destination) on a canvas of the same size. Cubic gives float32,
 * nearest keeps the type.
 * @param outside what comes from outside; 0 for cubic
 */
export function warpAffine(
  map: MapData,
  forward: Affine,
  interpolation: Interpolation,
  outside = 0,
): MapData {
  const inverse = invertAffine(forward);
  return interpolation === 'nearest' ? warpNearest(map, inverse, outside) : warpCubic(map, inverse);
}

/** Fixed-point x and y parts of the source position that depend on the destination column alone. */
function columnOffsets(width: number, factor: number): Int32Array {
  return Int32Array.from({ length: width }, (_, x) => Math.round(factor * x * ONE));
}

function warpNearest(map: MapData, [a, b, c, d, e, f]: Affine, outside: number): MapData {
  const { height, width, channels, data } = map;
  const out = emptyLike(map, height, width);
  if (outside !== 0) out.data.fill(outside);
  const [alongX, alongY] = [columnOffsets(width, a), columnOffsets(width, d)];
  for (let y = 0, to = 0; y < height; y++) {
    const rowX = Math.round((b * y + c) * ONE) + ONE / 2;
    const rowY = Math.round((e * y + f) * ONE) + ONE / 2;
    for (let x = 0; x < width; x++, to += channels) {
      const sx = (rowX + alongX[x]) >> POSITION_BITS;
      const sy = (rowY + alongY[x]) >> POSITION_BITS;
      if (sx < 0 || sy < 0 || sx >= width || sy >= height) continue;
      const from = (sy * width + sx) * channels;
      for (let k = 0; k < channels; k++) out.data[to + k] = data[from + k];
    }
  }
  return out;
}

function warpCubic(map: MapData, [a, b, c, d, e, f]: Affine): MapData {
  const { height, width, channels } = map;
  const source = asFloat(map.data);
  const out = new Float32Array(height * width * channels);
  const [alongX, alongY] = [columnOffsets(width, a), columnOffsets(width, d)];
  const shift = POSITION_BITS - WEIGHT_BITS;
  const half = 1 << (shift - 1);
  for (let y = 0, to = 0; y < height; y++) {
    const rowX = Math.round((b * y + c) * ONE) + half;
    const rowY = Math.round((e * y + f) * ONE) + half;
    for (let x = 0; x < width; x++, to += channels) {
      const px = (rowX + alongX[x]) >> shift;
      const py = (rowY + alongY[x]) >> shift;
      const left = (px >> WEIGHT_BITS) - 1;
      const top = (py >> WEIGHT_BITS) - 1;
      if (left <= -4 || top <= -4 || left >= width || top >= height) continue;
      const wx = 4 * (px & (STEPS - 1));
      const wy = 4 * (py & (STEPS - 1));
      for (let j = 0; j < 4; j++) {
        const sy = top + j;
        if (sy < 0 || sy >= height) continue;
        for (let i = 0; i < 4; i++) {
          const sx = left + i;
          if (sx < 0 || sx >= width) continue;
          const weight = STEP_WEIGHTS[wy + j] * STEP_WEIGHTS[wx + i];
          const from = (sy * width + sx) * channels;
          for (let k = 0; k < channels; k++) out[to + k] += weight * source[from + k];
        }
      }
    }
  }
  return { height, width, channels, data: out };
}

/** A part of a map. */
export interface Window {
  top: number;
  left: number;
  height: number;
  width: number;
}

/**
 * OpenCV's resize. The same size gives the same map.
 * @param window the part of the resized map that is wanted, without making the rest
 */
export function resize(
  map: MapData,
  height: number,
  width: number,
  interpolation: Interpolation | 'linear',
  window: Window = { top: 0, left: 0, height, width },
): MapData {
  const { top, left } = window;
  const whole = window.height === height && window.width === width;
  if (map.height === height && map.width === width)
    return whole ? map : crop(map, top, left, window.height, window.width);
  if (interpolation === 'nearest') {
    const rows = nearestIndices(map.height, height).subarray(top, top + window.height);
    const columns = nearestIndices(map.width, width).subarray(left, left + window.width);
    return resizeNearest(map, rows, columns);
  }
  const rows = tapsOf(map.height, height, top, window.height, interpolation);
  const columns = tapsOf(map.width, width, left, window.width, interpolation);
  return resizeSmooth(map, rows, columns);
}

/** Source index of every destination index: floor(i * step), with OpenCV's rounding of the step. */
function nearestIndices(from: number, to: number): Int32Array {
  const step = 1 / (to / from);
  return Int32Array.from({ length: to }, (_, i) => Math.min(Math.floor(i * step), from - 1));
}

function resizeNearest(map: MapData, rows: Int32Array, columns: Int32Array): MapData {
  const { channels, data } = map;
  const [height, width] = [rows.length, columns.length];
  const out = emptyLike(map, height, width);
  for (let y = 0, to = 0; y < height; y++) {
    const row = rows[y] * map.width;
    for (let x = 0; x < width; x++) {
      const from = (row + columns[x]) * channels;
      for (let k = 0; k < channels; k++) out.data[to++] = data[from + k];
    }
  }
  return out;
}

interface Taps {
  /** How many source values make up one. */
  count: number;
  index: Int32Array;
  weight: Float64Array;
}

/** Source indices (clamped to the border) and weights of `length` destination indices from `start` on. */
function tapsOf(
  from: number,
  to: number,
  start: number,
  length: number,
  interpolation: 'linear' | 'cubic',
): Taps {
  const count = interpolation === 'cubic' ? 4 : 2;
  const index = new Int32Array(count * length);
  const weight = new Float64Array(count * length);
  for (let i = 0; i < length; i++) {
    const position = ((start + i + 0.5) * from) / to - 0.5;
    const base = Math.floor(position);
    if (interpolation === 'cubic') cubicWeights(position - base, weight, 4 * i);
    else weight.set([1 - (position - base), position - base], 2 * i);
    const first = base + 1 - count / 2;
    for (let k = 0; k < count; k++) index[count * i + k] = Math.min(Math.max(first + k, 0), from - 1);
  }
  return { count, index, weight };
}

/** First along the rows that are needed, then down the columns. */
function resizeSmooth(map: MapData, rows: Taps, columns: Taps): MapData {
  const { channels } = map;
  const source = asFloat(map.data);
  const height = rows.index.length / rows.count;
  const width = columns.index.length / columns.count;
  const first = rows.index[0];
  const last = rows.index[rows.index.length - 1];
  const across = new Float32Array((last - first + 1) * width * channels);
  for (let y = first, to = 0; y <= last; y++)
    for (let x = 0; x < width; x++, to += channels)
      for (let i = columns.count * x; i < columns.count * (x + 1); i++) {
        const from = (y * map.width + columns.index[i]) * channels;
        for (let k = 0; k < channels; k++) across[to + k] += columns.weight[i] * source[from + k];
      }
  const stride = width * channels;
  const out = new Float32Array(height * stride);
  for (let y = 0; y < height; y++)
    for (let j = rows.count * y; j < rows.count * (y + 1); j++) {
      const [from, weight] = [(rows.index[j] - first) * stride, rows.weight[j]];
      for (let k = 0; k < stride; k++) out[y * stride + k] += weight * across[from + k];
    }
  return { height, width, channels, data: out };
}

/** A canvas of `fill` with the map, which must not be larger, in its centre; an odd rest goes below and right. */
export function padCentre(map: MapData, height: number, width: number, fill: number): MapData {
  const out = emptyLike(map, height, width);
  if (fill !== 0) out.data.fill(fill);
  copyRows(map, out, 0, 0, (height - map.height) >> 1, (width - map.width) >> 1, map.height, map.width);
  return out;
}

/** The part that `padCentre` put there: its inverse. */
export function cropCentre(map: MapData, height: number, width: number): MapData {
  if (map.height === height && map.width === width) return map;
  return crop(map, (map.height - height) >> 1, (map.width - width) >> 1, height, width);
}

export function crop(map: MapData, top: number, left: number, height: number, width: number): MapData {
  const out = emptyLike(map, height, width);
  copyRows(map, out, top, left, 0, 0, height, width);
  return out;
}

function copyRows(
  from: MapData,
  to: MapData,
  fromTop: number,
  fromLeft: number,
  toTop: number,
  toLeft: number,
  height: number,
  width: number,
): void {
  const { channels } = from;
  for (let y = 0; y < height; y++) {
    const start = ((fromTop + y) * from.width + fromLeft) * channels;
    const row = from.data.subarray(start, start + width * channels);
    to.data.set(row, ((toTop + y) * to.width + toLeft) * channels);
  }
}

/** Left and right exchanged. */
export function flipHorizontally(map: MapData): MapData {
  const { height, width, channels, data } = map;
  const out = emptyLike(map, height, width);
  for (let y = 0, to = 0; y < height; y++)
    for (let x = width - 1; x >= 0; x--) {
      const from = (y * width + x) * channels;
      for (let k = 0; k < channels; k++) out.data[to++] = data[from + k];
    }
  return out;
}

function emptyLike({ channels, data }: MapData, height: number, width: number): MapData {
  const Values = data.constructor as new (length: number) => MapData['data'];
  return { height, width, channels, data: new Values(height * width * channels) };
}

/** One element type keeps the cubic loops fast. */
function asFloat(data: MapData['data']): Float32Array {
  return data instanceof Float32Array ? data : new Float32Array(data);
}
