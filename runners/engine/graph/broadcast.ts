// Shapes in which onnxruntime broadcasts fast. It processes a broadcast operation in runs along the innermost axis,
// with a function call for each run. Short runs cost several times the arithmetic: a map of 32 channels times a
// vector of 32 takes three times as long as a map times a map. So a short vector that meets many rows is first
// repeated to a longer one. If the last axis has one element and one operand has fewer axes, each number is a run,
// which is a hundred times as slow; this does not happen if both operands have the same number of axes.
import { sameShape, sizeOf, type Shape } from './ir.js';

/** @throws Error if the shapes do not broadcast */
export function broadcast(a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1)
      throw new Error(`shapes [${a.join()}] and [${b.join()}] do not broadcast`);
    return x === 1 ? y : x;
  });
}

/** Runs of this many numbers cost next to nothing beyond their arithmetic. */
const LONG_RUN = 1024;
/** Results below this many numbers are not worth an extra node, */
const WORTHWHILE = 1 << 14;
/** unless every number would be a run of its own. */
const MANY_RUNS = 128;

export interface PairwiseViews {
  /** The operands' shapes to operate in; the same numbers in the same order. */
  views: [Shape, Shape];
  /** The operand that is expanded first, from a view of it to a shape with repeated rows. */
  repeat?: { side: 0 | 1; from: Shape; to: Shape };
}

/** Which of the two operands extend along an axis. */
type Extent = 'both' | 'first' | 'second';

/** @returns views of two operands that give the same result as their shapes, up to its shape */
export function pairwiseViews(a: Shape, b: Shape): PairwiseViews {
  const shape = broadcast(a, b);
  const asTheyAre: PairwiseViews = { views: [a, b] };
  const size = sizeOf(shape);
  if (sameShape(a, b) || (size < WORTHWHILE && (shape.at(-1) !== 1 || size < MANY_RUNS))) return asTheyAre;
  if (size >= WORTHWHILE) {
    const widened = widenedAlong(a, b, 0) ?? widenedAlong(b, a, 1) ?? repeated(a, b);
    if (widened) return widened;
  }
  if (shape.at(-1) !== 1) return asTheyAre;
  const ranked = (own: Shape): Shape => [...Array<number>(shape.length - own.length).fill(1), ...own];
  return { views: [ranked(a), ranked(b)] };
}

/**
 * A short vector that meets the rows of a map, or one for each sample that meets the sample's rows, repeated over as
 * many of the map's own inner axes as make a long run: the map keeps its shape.
 * @param side of `vector`
 */
function widenedAlong(vector: Shape, map: Shape, side: 0 | 1): PairwiseViews | undefined {
  if (vector.length > map.length) return;
  const own = map.map((_, i) => vector[i - map.length + vector.length] ?? 1);
  if (own.some((n, i) => n !== 1 && n !== map[i])) return;
  // One run of the map's innermost axes, and not long already.
  let first = map.length;
  while (first > 0 && own[first - 1] === map[first - 1]) first--;
  const run = sizeOf(map.slice(first));
  if (first === 0 || run === 1 || run >= LONG_RUN / 2) return;
  let start = first;
  while (start > 0 && own[start - 1] === 1 && sizeOf(map.slice(start - 1)) <= LONG_RUN) start--;
  if (start === first || sizeOf(map.slice(start)) < LONG_RUN / 4) return;
  const rank = Math.max(vector.length, map.length - start);
  const to = [...own.slice(0, start), ...map.slice(start)].slice(-rank);
  return { views: side === 0 ? [to, map] : [map, to], repeat: { side, from: vector, to } };
}

/** A short vector that is used for many rows, repeated, on merged axes; undefined where there is none. */
function repeated(a: Shape, b: Shape): PairwiseViews | undefined {
  const axes = mergedAxes(a, b);
  const views = (['first', 'second'] as const).map((side) =>
    axes.map(({ size, extent }) => (extent === 'both' || extent === side ? size : 1)),
  ) as [number[], number[]];
  const [rows, run] = axes.slice(-2);
  if (axes.length < 2 || run.extent !== 'both' || rows.extent === 'both' || run.size >= LONG_RUN / 2) return;
  const side = rows.extent === 'first' ? 1 : 0;
  const times = largestDivisor(rows.size, LONG_RUN / run.size);
  if (times === 1) return;
  // A plain vector stays one.
  const isVector = sizeOf(views[side]) === run.size;
  const from = isVector ? [run.size] : views[side];
  const to = isVector ? [times * run.size] : [...from.slice(0, -2), times, run.size];
  views[side] = isVector ? to : [...from.slice(0, -2), 1, times * run.size];
  views[1 - side] = [...views[1 - side].slice(0, -2), rows.size / times, times * run.size];
  return { views, repeat: { side, from, to } };
}

/** Axes from outer to inner; neighbours along which the same operands extend are one axis. */
function mergedAxes(a: Shape, b: Shape): { size: number; extent: Extent }[] {
  const merged: { size: number; extent: Extent }[] = [];
  const shape = broadcast(a, b);
  shape.forEach((size, i) => {
    if (size === 1) return;
    const [x, y] = [a, b].map((own) => (own[i - shape.length + own.length] ?? 1) !== 1);
    const extent = x && y ? 'both' : x ? 'first' : 'second';
    const last = merged.at(-1);
    if (last?.extent === extent) last.size *= size;
    else merged.push({ size, extent });
  });
  return merged;
}

function largestDivisor(n: number, bound: number): number {
  for (let divisor = Math.floor(bound); divisor > 1; divisor--) if (n % divisor === 0) return divisor;
  return 1;
}
