// Broadcasting, and how to make it fast. onnxruntime goes through a broadcast operation in runs of the innermost
// axis and calls a function for each of them, so short runs cost several times the arithmetic: a map of 32
// channels times a vector of 32 is three times as slow as a map times a map, and a trailing axis of one element
// twenty times. Shapes are therefore merged to as few axes as possible, and a short vector that meets many rows
// is repeated to a long one first.
import { sizeOf, type Shape } from './ir.js';

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
const WORTHWHILE = 8192;
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
  if (size < WORTHWHILE && (shape.at(-1) !== 1 || size < MANY_RUNS)) return asTheyAre;
  const axes = mergedAxes(a, b);
  const views = (['first', 'second'] as const).map((side) =>
    axes.map(({ size, extent }) => (extent === 'both' || extent === side ? size : 1)),
  ) as [number[], number[]];
  return (
    (size < WORTHWHILE ? undefined : repeated(axes, views)) ?? (shape.at(-1) === 1 ? { views } : asTheyAre)
  );
}

/** A short vector that is used for many rows, repeated; undefined where there is none. */
function repeated(
  axes: readonly { size: number; extent: Extent }[],
  views: [number[], number[]],
): PairwiseViews | undefined {
  const [rows, run] = axes.slice(-2);
  if (axes.length < 2 || run.extent !== 'both' || rows.extent === 'both' || run.size >= LONG_RUN / 2) return;
  const side = rows.extent === 'first' ? 1 : 0;
  const times = largestDivisor(rows.size, LONG_RUN / run.size);
  if (times === 1) return;
  const from = views[side];
  const to = [...from.slice(0, -2), times, run.size];
  views[side] = [...from.slice(0, -2), 1, times * run.size];
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
