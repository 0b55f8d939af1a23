// Exact number of pairs in the cheapest matching of a connected part where every pair saves a price: an assignment in
// which each left pixel takes a candidate, or stays alone for the price. Bertsekas' auction with scaling of epsilon, on
// the symmetric form of the problem: a copy of the graph lets right pixels stay alone for nothing. Of assignments that cost
// the same it is one with the most pairs.

/** Which pixels may be paired: those of `left[i]` are right[start[i]] to right[start[i + 1] - 1], nearest first. */
export interface Candidates {
  readonly left: number;
  readonly rights: number;
  readonly start: Int32Array;
  readonly right: Int32Array;
  /** Distance of each, in units. */
  readonly cost: Int32Array;
}

/** Epsilon shrinks by this factor from one round to the next. */
const SHRINK = 6;

/**
 * @param part left pixels of a connected part
 * @param price what a pair saves, in the unit of the costs
 */
export function pairsOf(part: Int32Array, { start, right, cost }: Candidates, price: number): number {
  const columns = new Map<number, number>();
  for (const i of part)
    for (let e = start[i]; e < start[i + 1]; e++)
      if (!columns.has(right[e])) columns.set(right[e], columns.size);
  const [n, m] = [part.length, columns.size];
  // Bidders: left pixels, then a shadow of each right pixel. Objects: right pixels, then a shadow of each left pixel.
  // A left pixel bids for its candidates or for its own shadow; the shadow of a right pixel bids for that pixel, or for the
  // shadows of the left pixels that it could be paired with.
  const size = n + m;
  const degree = new Int32Array(size + 1);
  part.forEach((i, row) => {
    degree[row + 1] += start[i + 1] - start[i] + 1;
    for (let e = start[i]; e < start[i + 1]; e++) degree[n + columns.get(right[e])! + 1]++;
  });
  for (let c = 0; c < m; c++) degree[n + c + 1]++;
  for (let i = 0; i < size; i++) degree[i + 1] += degree[i];
  const objects = new Int32Array(degree[size]);
  const costs = new Float64Array(degree[size]);
  const fill = degree.slice(0, size);
  // With epsilon 1, an assignment of `size` bidders is at most `size` from the least. Costs are multiplied so that this is
  // less than what staying alone costs more, which over all bidders is less than one unit.
  const unit = 2 * (size + 1) ** 2;
  const alone = price * unit + size + 1;
  const add = (bidder: number, object: number, value: number) => {
    objects[fill[bidder]] = object;
    costs[fill[bidder]++] = value;
  };
  part.forEach((i, row) => {
    add(row, m + row, alone);
    for (let e = start[i]; e < start[i + 1]; e++) {
      const column = columns.get(right[e])!;
      add(row, column, cost[e] * unit);
      add(n + column, m + row, 0);
    }
  });
  for (let c = 0; c < m; c++) add(n + c, c, 0);
  const taken = auction(size, degree, objects, costs, alone);
  let pairs = 0;
  for (let row = 0; row < n; row++) if (taken[row] < m) pairs++;
  return pairs;
}

/** Which object each bidder gets in the perfect assignment of least cost. */
function auction(
  size: number,
  start: Int32Array,
  objects: Int32Array,
  costs: Float64Array,
  largest: number,
): Int32Array {
  const prices = new Float64Array(size);
  const taken = new Int32Array(size);
  const owner = new Int32Array(size);
  const waiting = new Int32Array(size);
  for (let epsilon = Math.max(1, largest / 4); ; epsilon = Math.max(1, epsilon / SHRINK)) {
    taken.fill(-1);
    owner.fill(-1);
    let count = size;
    for (let i = 0; i < size; i++) waiting[i] = i;
    while (count > 0) {
      const bidder = waiting[--count];
      let [best, second, chosen] = [Infinity, Infinity, -1];
      for (let e = start[bidder]; e < start[bidder + 1]; e++) {
        const value = costs[e] + prices[objects[e]];
        if (value < best) {
          second = best;
          best = value;
          chosen = objects[e];
        } else if (value < second) second = value;
      }
      // A bidder with one object only takes it, whatever it costs.
      prices[chosen] += (second === Infinity ? largest : second - best) + epsilon;
      const before = owner[chosen];
      if (before >= 0) {
        taken[before] = -1;
        waiting[count++] = before;
      }
      owner[chosen] = bidder;
      taken[bidder] = chosen;
    }
    if (epsilon === 1) return taken;
  }
}
