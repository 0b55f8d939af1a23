// How labels of plain values come to say IGNORE, for kinds of tasks whose values may be any number.
import type { MapData } from './contracts/data.js';
import { IGNORE } from './contracts/tasks.js';

/** The next float32 after IGNORE, for values that happen to be equal to it. */
const BESIDE_IGNORE = IGNORE + 2 ** -16;

/**
 * IGNORE in every channel of pixels with a value that is not finite. A known value of exactly IGNORE is moved by one
 * unit in the last place of float32, 6e-8 of it, so that it is not taken for unknown.
 */
export function markNotFinite(data: MapData['data'], channels: number): Float32Array {
  const out = new Float32Array(data);
  for (let i = 0; i < out.length; i += channels) {
    let known = true;
    for (let k = i; k < i + channels; k++) {
      if (!Number.isFinite(out[k])) known = false;
      else if (out[k] === IGNORE) out[k] = BESIDE_IGNORE;
    }
    if (!known) out.fill(IGNORE, i, i + channels);
  }
  return out;
}

/**
 * Values beside a mask as one label: NaN where the mask is 0.
 * @param data [H,W,channels]
 * @param mask [H,W]
 */
export function masked(data: ArrayLike<number>, mask: ArrayLike<number>, channels: number): Float32Array {
  const out = Float32Array.from(data);
  for (let p = 0; p < mask.length; p++) if (!mask[p]) out.fill(NaN, p * channels, (p + 1) * channels);
  return out;
}
