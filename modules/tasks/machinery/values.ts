// What kinds of plain values have in common.
import { IGNORE, type MapData, type Range } from '../../../registry/index.js';

/** From the lowest to the highest known value. */
export function valueRange(maps: readonly MapData[]): Range {
  let [low, high] = [Infinity, -Infinity];
  for (const { data } of maps)
    for (const value of data) {
      if (value === IGNORE || !Number.isFinite(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  return high > low ? [low, high] : [0, 1];
}
