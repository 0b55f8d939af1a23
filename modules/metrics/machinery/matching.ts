// How many pixels of two boundary maps correspond, as the Berkeley benchmark counts them (correspondPixels of Martin et
// al.): pixels are paired one to one, at most `reach` apart, so that
//
//   sum of distances of the pairs + outlier * number of pixels of both maps outside of pairs  (each pair saves one outlier)
//
// is least, with outlier = 100 * reach, and distances in whole hundredths of a pixel. A pair more nearly always costs less
// than it saves, so nearly always the least has as many pairs as there can be. To find these and to prove it:
//
//   1. An auction (Bertsekas 1979) at a low price of staying alone finds a nearly cheapest matching, and bounds from below
//      what any matching costs at that price.
//   2. Hopcroft and Karp's algorithm (1973) makes it a largest matching.
//   3. If that costs hardly more than the bound, then fewer pairs cannot be cheaper at the true price: see `isLeast`.
//
// Where the proof fails, it is tried again at a higher price, and in the end assignment.ts solves the connected part exactly.
import { pairsOf, type Candidates } from './assignment.js';

/** Distances are counted in whole hundredths of a pixel. */
const UNITS = 100;
/** Cost of an outlier as a multiple of the reach. */
const OUTLIER = 100;

/** Pixels of a map in order, and where they are in it. */
export interface Points {
  readonly height: number;
  readonly width: number;
  readonly count: number;
  readonly x: Int32Array;
  readonly y: Int32Array;
  /** [height, width]: number of the pixel, -1 where there is none. */
  readonly at: Int32Array;
}

/** @param mask [height, width], not 0 where a boundary is */
export function pointsOf(mask: ArrayLike<number>, height: number, width: number): Points {
  const at = new Int32Array(height * width).fill(-1);
  let count = 0;
  for (let p = 0; p < at.length; p++) if (mask[p]) at[p] = count++;
  const [x, y] = [new Int32Array(count), new Int32Array(count)];
  for (let p = 0; p < at.length; p++)
    if (at[p] >= 0) {
      x[at[p]] = p % width;
      y[at[p]] = Math.floor(p / width);
    }
  return { height, width, count, x, y, at };
}

/** Steps to all pixels within reach, nearest first. */
function stepsWithin(reach: number): { dx: number; dy: number; cost: number }[] {
  const whole = Math.ceil(reach);
  const steps: { dx: number; dy: number; cost: number }[] = [];
  for (let dy = -whole; dy <= whole; dy++)
    for (let dx = -whole; dx <= whole; dx++)
      if (dx * dx + dy * dy <= reach * reach)
        steps.push({ dx, dy, cost: Math.round(UNITS * Math.sqrt(dx * dx + dy * dy)) });
  return steps.sort((a, b) => a.cost - b.cost);
}

function candidatesOf(a: Points, b: Points, reach: number): Candidates {
  const { height, width } = a;
  const steps = stepsWithin(reach);
  const start = new Int32Array(a.count + 1);
  let [right, cost] = [new Int32Array(8 * a.count + 8), new Int32Array(8 * a.count + 8)];
  let used = 0;
  for (let i = 0; i < a.count; i++) {
    for (const step of steps) {
      const [x, y] = [a.x[i] + step.dx, a.y[i] + step.dy];
      if (x < 0 || y < 0 || x >= width || y >= height) continue;
      const j = b.at[y * width + x];
      if (j < 0) continue;
      if (used === right.length) {
        right = enlarged(right);
        cost = enlarged(cost);
      }
      right[used] = j;
      cost[used++] = step.cost;
    }
    start[i + 1] = used;
  }
  return {
    left: a.count,
    rights: b.count,
    start,
    right: right.subarray(0, used),
    cost: cost.subarray(0, used),
  };
}

function enlarged(values: Int32Array): Int32Array<ArrayBuffer> {
  const out = new Int32Array(2 * values.length);
  out.set(values);
  return out;
}

const NONE = -1;
/** Prices of staying alone that are tried, as multiples of the reach. */
const TRIED = [2, 8, 32];

/**
 * Number of pairs of two maps of the same size.
 * @param reach in pixels
 * @param outlier cost of a pixel without a partner, as a multiple of the reach; the benchmark's is 100
 */
export function countPairs(a: Points, b: Points, reach: number, outlier = OUTLIER): number {
  const candidates = a.count <= b.count ? candidatesOf(a, b, reach) : candidatesOf(b, a, reach);
  const price = Math.ceil(UNITS * outlier * reach);
  let open = partsOf(candidates);
  let pairs = 0;
  for (const tried of TRIED) {
    const low = Math.ceil(UNITS * tried * reach);
    if (open.length === 0 || low >= price) break;
    const { partner, prices } = auction(candidates, open, low, price);
    enlarge(candidates, open, partner);
    open = open.filter((part) => {
      const count = countIn(part, partner);
      const least = isLeast(part, candidates, partner, prices, { count, low, price });
      if (least) pairs += count;
      return !least;
    });
  }
  for (const part of open) pairs += pairsOf(part, candidates, price);
  return pairs;
}

const countIn = (part: Int32Array, partner: Int32Array): number =>
  part.reduce((count, i) => count + Number(partner[i] !== NONE), 0);

/** Left pixels bid for their candidates, at most `low` each, in steps that are a small share of what a proof has to spare. */
function auction(
  { left, rights, start, right, cost }: Candidates,
  parts: readonly Int32Array[],
  low: number,
  price: number,
): { partner: Int32Array; prices: Float64Array } {
  const partner = new Int32Array(left).fill(NONE);
  const owner = new Int32Array(rights).fill(NONE);
  const prices = new Float64Array(rights);
  const waiting = new Int32Array(left);
  for (const part of parts) {
    const step = Math.max(1, Math.floor((price - low) / (4 * part.length)));
    waiting.set(part);
    let count = part.length;
    while (count > 0) {
      const i = waiting[--count];
      // Staying alone is worth 0.
      let [best, second, chosen] = [0, 0, NONE];
      for (let e = start[i]; e < start[i + 1]; e++) {
        const worth = low - cost[e] - prices[right[e]];
        if (worth > best) {
          second = best;
          best = worth;
          chosen = e;
        } else if (worth > second) second = worth;
      }
      partner[i] = chosen;
      if (chosen === NONE) continue;
      const j = right[chosen];
      prices[j] += best - second + step;
      if (owner[j] !== NONE) {
        partner[owner[j]] = NONE;
        waiting[count++] = owner[j];
      }
      owner[j] = i;
    }
  }
  return { partner, prices };
}

/** Hopcroft and Karp: as many pairs as there can be; `partner` is the index of the candidate of each left pixel, or NONE. */
function enlarge(
  { left, rights, start, right }: Candidates,
  parts: readonly Int32Array[],
  partner: Int32Array,
): void {
  const owner = new Int32Array(rights).fill(NONE);
  for (let i = 0; i < left; i++) if (partner[i] !== NONE) owner[right[partner[i]]] = i;
  const next = new Int32Array(left);
  const level = new Int32Array(left);
  const queue = new Int32Array(left);
  const path = new Int32Array(left);
  for (;;) {
    // Breadth first: how many pairs every left pixel is away from one without a partner.
    let [head, tail, reached] = [0, 0, false];
    level.fill(NONE);
    for (const part of parts)
      for (const i of part)
        if (partner[i] === NONE) {
          level[i] = 0;
          queue[tail++] = i;
        }
    const sources = tail;
    while (head < tail) {
      const i = queue[head++];
      for (let e = start[i]; e < start[i + 1]; e++) {
        const other = owner[right[e]];
        if (other === NONE) reached = true;
        else if (level[other] === NONE) {
          level[other] = level[i] + 1;
          queue[tail++] = other;
        }
      }
    }
    if (!reached) return;
    // Depth first along increasing levels: each path gains a pair.
    next.set(start.subarray(0, left));
    for (let s = 0; s < sources; s++) {
      let depth = 0;
      path[0] = queue[s];
      while (depth >= 0) {
        const i = path[depth];
        if (next[i] >= start[i + 1]) {
          // Nothing behind this pixel any more.
          level[i] = NONE;
          if (--depth >= 0) next[path[depth]]++;
          continue;
        }
        const other = owner[right[next[i]]];
        if (other === NONE) {
          for (let k = depth; k >= 0; k--) {
            partner[path[k]] = next[path[k]];
            owner[right[next[path[k]]]] = path[k];
          }
          break;
        }
        if (level[other] === level[i] + 1) path[++depth] = other;
        else next[i]++;
      }
    }
  }
}

/**
 * Whether the largest matching of a connected part has the least cost at the true price.
 *
 * At the low price, what any matching N costs less low * |N| is at least minus the sum of all prices and of what each left
 * pixel could still gain (duality of linear programs). So if our matching, less low for each of its pairs, is within `gap` of
 * that, then one with j pairs fewer is cheaper by at most j * low + gap; at the true price it would have to be cheaper by more
 * than j * price. It is not if gap <= price - low.
 */
function isLeast(
  part: Int32Array,
  { start, right, cost }: Candidates,
  partner: Int32Array,
  prices: Float64Array,
  { count, low, price }: { count: number; low: number; price: number },
): boolean {
  let gap = -low * count;
  const seen = new Set<number>();
  for (const i of part) {
    let gain = 0;
    for (let e = start[i]; e < start[i + 1]; e++) {
      gain = Math.max(gain, low - cost[e] - prices[right[e]]);
      if (prices[right[e]] > 0) seen.add(right[e]);
    }
    gap += gain;
    if (partner[i] !== NONE) gap += cost[partner[i]];
  }
  for (const j of seen) gap += prices[j];
  return gap <= price - low;
}

/** The left pixels of each connected part. */
function partsOf({ left, rights, start, right }: Candidates): Int32Array[] {
  const root = Int32Array.from({ length: left + rights }, (_, i) => i);
  const find = (i: number): number => {
    while (root[i] !== i) {
      root[i] = root[root[i]];
      i = root[i];
    }
    return i;
  };
  for (let i = 0; i < left; i++)
    for (let e = start[i]; e < start[i + 1]; e++) root[find(i)] = find(left + right[e]);
  const parts = new Map<number, number[]>();
  for (let i = 0; i < left; i++) {
    if (start[i] === start[i + 1]) continue;
    const top = find(i);
    const part = parts.get(top);
    if (part) part.push(i);
    else parts.set(top, [i]);
  }
  return [...parts.values()].map((part) => Int32Array.from(part));
}
