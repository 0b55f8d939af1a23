// How many pixels of two boundary maps correspond, as the Berkeley benchmark counts them (correspondPixels of Martin et
// al.): pixels are paired one to one, at most `reach` apart, so that
//
//   sum of distances of the pairs + outlier * number of pixels of both maps outside of pairs  (each pair saves one outlier)
//
// is least, with outlier = 100 * reach, and distances in whole hundredths of a pixel. Since a pair more nearly always
// costs less than it saves, this is nearly always a largest matching, which is found fast (Hopcroft and Karp 1973) and
// then proven to be the least; where it cannot be proven, assignment.ts solves the connected part exactly.
import { pairsOf } from './assignment.js';

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

/** Which pixels may be paired: those of `left[i]` are right[start[i]] to right[start[i + 1] - 1], nearest first. */
export interface Candidates {
  readonly left: number;
  readonly rights: number;
  readonly start: Int32Array;
  readonly right: Int32Array;
  /** Distance of each, in units. */
  readonly cost: Int32Array;
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

/**
 * Number of pairs of two maps of the same size.
 * @param reach in pixels
 * @param outlier cost of a pixel without a partner, as a multiple of the reach; the benchmark's is 100
 */
export function countPairs(a: Points, b: Points, reach: number, outlier = OUTLIER): number {
  // Searches start from the smaller side.
  const candidates = a.count <= b.count ? candidatesOf(a, b, reach) : candidatesOf(b, a, reach);
  const price = Math.ceil(UNITS * outlier * reach);
  const partner = largestMatching(candidates);
  improve(candidates, partner);
  let pairs = 0;
  for (const part of partsOf(candidates)) pairs += pairsIn(part, candidates, partner, price);
  return pairs;
}

const NONE = -1;

/**
 * A matching of the largest size, made of short distances first.
 * @returns for each left pixel the index of its candidate, or NONE
 */
function largestMatching({ left, rights, start, right, cost }: Candidates): Int32Array {
  const partner = new Int32Array(left).fill(NONE);
  const owner = new Int32Array(rights).fill(NONE);
  const longest = cost.length === 0 ? 0 : cost.reduce((a, b) => Math.max(a, b), 0);
  // Greedily, all pairs of a distance before those of the next: half a pixel at a time.
  const next = start.slice(0, left);
  for (let limit = 0; limit <= longest; limit += UNITS / 2)
    for (let i = 0; i < left; i++) {
      if (partner[i] !== NONE) continue;
      for (; next[i] < start[i + 1] && cost[next[i]] <= limit; next[i]++)
        if (owner[right[next[i]]] === NONE) {
          owner[right[next[i]]] = i;
          partner[i] = next[i];
          break;
        }
    }
  const level = new Int32Array(left);
  const queue = new Int32Array(left);
  const path = new Int32Array(left);
  for (;;) {
    // Breadth first: how many pairs every left pixel is away from one without a partner.
    let [head, tail, reached] = [0, 0, false];
    level.fill(NONE);
    for (let i = 0; i < left; i++)
      if (partner[i] === NONE && start[i] < start[i + 1]) {
        level[i] = 0;
        queue[tail++] = i;
      }
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
    if (!reached) return partner;
    // Depth first along increasing levels: disjoint shortest paths, each of which gains a pair.
    next.set(start.subarray(0, left));
    for (let source = 0; source < left; source++) {
      if (partner[source] !== NONE || level[source] !== 0) continue;
      let depth = 0;
      path[0] = source;
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

/** Makes distances shorter where one or two pairs can simply be changed: sums near the least prove more. */
function improve({ left, rights, start, right, cost }: Candidates, partner: Int32Array): void {
  const owner = new Int32Array(rights).fill(NONE);
  for (let i = 0; i < left; i++) if (partner[i] !== NONE) owner[right[partner[i]]] = i;
  /** The candidate of i that leads to j; NONE if j is out of reach. */
  const leadTo = (i: number, j: number): number => {
    for (let e = start[i]; e < start[i + 1]; e++) if (right[e] === j) return e;
    return NONE;
  };
  for (let changed = true, round = 0; changed && round < 8; round++) {
    changed = false;
    for (let i = 0; i < left; i++) {
      if (partner[i] === NONE) continue;
      for (let e = start[i]; e < start[i + 1]; e++) {
        const own = partner[i];
        const gain = cost[own] - cost[e];
        // Candidates are sorted: the rest is no nearer than the partner.
        if (gain <= 0) break;
        const other = owner[right[e]];
        if (other === NONE) owner[right[own]] = NONE;
        else {
          const back = leadTo(other, right[own]);
          if (back === NONE || gain + cost[partner[other]] - cost[back] <= 0) continue;
          partner[other] = back;
          owner[right[own]] = other;
        }
        partner[i] = e;
        owner[right[e]] = i;
        changed = true;
      }
    }
  }
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

/**
 * Pairs of a connected part in the assignment of least cost. A largest matching of k pairs is one if fewer pairs cannot be
 * cheaper: k - 1 of them have at least the sum of the k - 1 shortest distances to a nearest candidate, and save a price.
 */
function pairsIn(part: Int32Array, candidates: Candidates, partner: Int32Array, price: number): number {
  const { start, right, cost } = candidates;
  const nearest = new Map<number, number>();
  const shortest: number[] = [];
  let [pairs, sum] = [0, 0];
  for (const i of part) {
    shortest.push(cost[start[i]]);
    if (partner[i] !== NONE) {
      pairs++;
      sum += cost[partner[i]];
    }
    for (let e = start[i]; e < start[i + 1]; e++) {
      const known = nearest.get(right[e]);
      if (known === undefined || cost[e] < known) nearest.set(right[e], cost[e]);
    }
  }
  const bound = Math.max(leastSum(shortest, pairs - 1), leastSum([...nearest.values()], pairs - 1));
  return sum - bound <= price ? pairs : pairsOf(part, candidates, price);
}

function leastSum(values: number[], count: number): number {
  values.sort((a, b) => a - b);
  let sum = 0;
  for (let i = 0; i < count; i++) sum += values[i];
  return sum;
}
