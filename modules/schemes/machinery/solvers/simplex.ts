// Convex problems over the simplex { w >= 0, sum w = 1 } for a few tasks, solved exactly by an active-set method:
// the smallest element of the convex hull of gradients (MGDA), and CAGrad's weights.
//
// Gradients of different tasks may differ in length by orders of magnitude, so variables are scaled by the lengths
// first (w_i = v_i / s_i); a ridge that is tiny against the scaled diagonal decides between equally good points,
// as with collinear gradients.
import { form, solve, times, type Matrix } from './linear.js';

const RIDGE = 1e-12;

/**
 * The w in the simplex that minimises 1/2 w^T A w + b^T w.
 * @param matrix A, symmetric and positive semidefinite
 */
export function simplexQuadratic(matrix: Matrix, linear: readonly number[]): number[] {
  const n = linear.length;
  if (n === 1) return [1];
  const largest = Math.max(...matrix.map((row, i) => row[i]));
  const scale = matrix.map((row, i) => Math.sqrt(Math.max(row[i], largest * 1e-24)) || 1);
  const a = matrix.map((row, i) => row.map((x, j) => x / (scale[i] * scale[j]) + (i === j ? RIDGE : 0)));
  const b = linear.map((x, i) => x / scale[i]);
  const c = scale.map((s) => 1 / s);

  // Start at the best corner.
  const corner = (i: number) => 0.5 * matrix[i][i] + linear[i];
  let best = 0;
  for (let i = 1; i < n; i++) if (corner(i) < corner(best)) best = i;
  let v = c.map((ci, i) => (i === best ? 1 / ci : 0));
  let free = [best];
  for (let iteration = 0; iteration < 100 * n; iteration++) {
    const { target, multiplier } = onFace(a, b, c, free);
    const leaving = free.filter((_, k) => target[k] <= 0);
    if (leaving.length > 0) {
      // Walk towards the face's minimum until the first coordinate is zero.
      let step = 1;
      let blocked = -1;
      free.forEach((i, k) => {
        if (target[k] >= v[i]) return;
        const reach = v[i] / (v[i] - target[k]);
        if (reach < step || (blocked < 0 && target[k] <= 0)) [step, blocked] = [Math.min(reach, step), i];
      });
      free.forEach((i, k) => (v[i] += step * (target[k] - v[i])));
      v[blocked] = 0;
      free = free.filter((i) => i !== blocked);
      continue;
    }
    v = v.map((_, i) => (free.includes(i) ? target[free.indexOf(i)] : 0));
    // The objective falls by letting in a coordinate whose slope lies below the multiplier.
    const slope = times(a, v).map((x, i) => (x + b[i]) / c[i]);
    const size = Math.max(...slope.map(Math.abs), Number.MIN_VALUE);
    let entering = -1;
    for (let i = 0; i < n; i++)
      if (
        !free.includes(i) &&
        slope[i] < multiplier - 1e-13 * size &&
        (entering < 0 || slope[i] < slope[entering])
      )
        entering = i;
    if (entering < 0) break;
    free = [...free, entering];
  }
  const w = v.map((x, i) => x * c[i]);
  const total = w.reduce((x, y) => x + y, 0);
  return w.map((x) => x / total);
}

/** The minimum with only `free` coordinates and sum c v = 1, by its KKT system. */
function onFace(a: Matrix, b: readonly number[], c: readonly number[], free: readonly number[]) {
  const rows = free.map((i) => [...free.map((j) => a[i][j]), -c[i]]);
  rows.push([...free.map((i) => c[i]), 0]);
  // The last column is scaled like the others so that pivots compare.
  const solution = solve(rows, [...free.map((i) => -b[i]), 1]) ?? free.map((i) => 1 / (c[i] * free.length));
  return { target: solution.slice(0, free.length), multiplier: solution[free.length] ?? 0 };
}

/** Weights of the shortest vector in the convex hull of gradients with this Gram matrix (MGDA). */
export function minimumNorm(gram: Matrix): number[] {
  return simplexQuadratic(
    gram,
    gram.map(() => 0),
  );
}

/**
 * The w in the simplex that minimises g_w . g_0 + radius |g_w| with g_0 the mean gradient (CAGrad, Eq. 6): with
 * sqrt(q) = min over t of (q / t + t) / 2 it is a quadratic problem for each t, and the right t is where
 * t = |g_w(t)|; the difference falls with t.
 */
export function conflictAverse(gram: Matrix, radius: number): number[] {
  const n = gram.length;
  const mean = gram.map((row) => row.reduce((x, y) => x + y, 0) / n);
  const length = (w: readonly number[]) => Math.sqrt(Math.max(0, form(w, gram, w)));
  const at = (t: number) =>
    simplexQuadratic(
      gram.map((row) => row.map((x) => (radius * x) / t)),
      mean,
    );
  const longest = Math.sqrt(Math.max(...gram.map((row, i) => row[i])));
  if (!(longest > 0) || !(radius > 0))
    return radius > 0
      ? gram.map(() => 1 / n)
      : simplexQuadratic(
          gram.map((row) => row.map(() => 0)),
          mean,
        );
  let [low, high] = [longest * 1e-12, longest * 2];
  for (let i = 0; i < 200 && high / low > 1 + 1e-15; i++) {
    const t = Math.sqrt(low * high);
    if (length(at(t)) > t) low = t;
    else high = t;
  }
  return at(Math.sqrt(low * high));
}

/** The point of the simplex that is nearest to v: v minus a threshold, cut at 0. */
export function nearestInSimplex(v: readonly number[]): number[] {
  const sorted = [...v].sort((a, b) => b - a);
  let sum = 0;
  let threshold = 0;
  for (const [i, x] of sorted.entries()) {
    sum += x;
    if (x * (i + 1) > sum - 1) threshold = (sum - 1) / (i + 1);
  }
  return v.map((x) => Math.max(x - threshold, 0));
}
