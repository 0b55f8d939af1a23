// Which source values make up a value of a resized row or column, and with what weights.
import { POSITION_BITS, WEIGHT_BITS } from './kernels.js';
import { alongRow, cubicWeights, rowPart, STEP_WEIGHTS, STEPS } from './positions.js';

export interface Taps {
  /** How many source values make up one. */
  readonly count: 2 | 4;
  /** Within the source. */
  readonly index: Int32Array;
  readonly weight: Float32Array;
}

const within = (i: number, size: number): number => Math.min(Math.max(i, 0), size - 1);

/**
 * OpenCV's resize: pixel centres lie at half-integers, and the border is repeated.
 * @param start first of the `length` values that are wanted
 */
export function resizeTaps(
  from: number,
  to: number,
  start: number,
  length: number,
  interpolation: 'linear' | 'cubic',
): Taps {
  const count = interpolation === 'cubic' ? 4 : 2;
  const index = new Int32Array(count * length);
  const weight = new Float32Array(count * length);
  for (let i = 0; i < length; i++) {
    const position = ((start + i + 0.5) * from) / to - 0.5;
    const base = Math.floor(position);
    if (interpolation === 'cubic') cubicWeights(position - base, weight, 4 * i);
    else {
      weight[2 * i] = 1 - (position - base);
      weight[2 * i + 1] = position - base;
    }
    const first = base + 1 - count / 2;
    for (let k = 0; k < count; k++) index[count * i + k] = within(first + k, from);
  }
  return { count, index, weight };
}

/** OpenCV's cubic warp along one axis: source = factor * i + offset, and zeros outside. */
export function warpTaps(size: number, factor: number, offset: number): Taps {
  const shift = POSITION_BITS - WEIGHT_BITS;
  const along = alongRow(size, factor);
  const row = rowPart(0, 0, offset, shift);
  const index = new Int32Array(4 * size);
  const weight = new Float32Array(4 * size);
  for (let i = 0; i < size; i++) {
    const fine = (row + along[i]) >> shift;
    const first = (fine >> WEIGHT_BITS) - 1;
    for (let k = 0; k < 4; k++) {
      index[4 * i + k] = within(first + k, size);
      if (index[4 * i + k] === first + k) weight[4 * i + k] = STEP_WEIGHTS[4 * (fine & (STEPS - 1)) + k];
    }
  }
  return { count: 4, index, weight };
}

/** The same of a source whose first value is its last. */
export function fromMirrored({ count, index, weight }: Taps, size: number): Taps {
  return { count, index: index.map((i) => size - 1 - i), weight };
}
