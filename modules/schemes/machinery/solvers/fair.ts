// Fair weights for task gradients: positive a with M a = a^(-1/alpha) (element by element), M their Gram matrix. With
// alpha = 1 it is the Nash bargaining solution. It is the minimum of the strictly convex
// 1/2 a^T M a - sum F(a), F' = a^(-1/alpha), found by a damped Newton method.
import { dot, form, solve, times, type Matrix } from './linear.js';

const ITERATIONS = 100;

/**
 * @param alpha 1: proportional fairness; larger: closer to the worst-off task
 * @returns undefined where there is no solution: some positive combination of the gradients is zero, so that the
 *   objective has no minimum (gradients against each other)
 */
export function fairWeights(gram: Matrix, alpha = 1): number[] | undefined {
  const power = 1 / alpha;
  // Scaled to gradients of length 1: a_i = v_i / |g_i| solves C v = b v^(-p) with b_i = |g_i|^(p - 1). A factor common
  // to all lengths is taken out first, so that b is near 1.
  const own = gram.map((row, i) => Math.sqrt(row[i]));
  if (!own.every((length) => length > 0)) return undefined;
  const common = Math.exp(own.reduce((sum, length) => sum + Math.log(length), 0) / own.length);
  const lengths = own.map((length) => length / common);
  const cosines = gram.map((row, i) => row.map((x, j) => x / (own[i] * own[j])));
  const b = lengths.map((length) => length ** (power - 1));
  const barrier = (x: number) => (power === 1 ? Math.log(x) : x ** (1 - power) / (1 - power));
  const value = (v: readonly number[]) =>
    0.5 * form(v, cosines, v) - v.reduce((sum, x, i) => sum + b[i] * barrier(x), 0);
  const answer = (v: readonly number[]) => v.map((x, i) => (x / lengths[i]) * common ** (-2 / (1 + power)));
  const relative = (cv: readonly number[], v: readonly number[]) =>
    Math.max(...cv.map((x, i) => Math.abs((x * v[i] ** power) / b[i] - 1)));
  let v = b.map((x) => (x / gram.length) ** (1 / (1 + power)));
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const cv = times(cosines, v);
    if (relative(cv, v) < 1e-13) return answer(v);
    const gradient = cv.map((x, i) => x - b[i] / v[i] ** power);
    const hessian = cosines.map((row, i) =>
      row.map((x, j) => x + (i === j ? (power * b[i]) / v[i] ** (power + 1) : 0)),
    );
    // Scaled to a diagonal of 1: a weight may be tiny on the way, and its curvature enormous.
    const sizes = hessian.map((row, i) => Math.sqrt(row[i]));
    const direction = solve(
      hessian.map((row, i) => row.map((x, j) => x / (sizes[i] * sizes[j]))),
      gradient.map((x, i) => -x / sizes[i]),
    )?.map((x, i) => x / sizes[i]);
    if (!direction) return undefined;
    // Stay inside the positive orthant, then halve until the value falls enough.
    let step = Math.min(1, ...direction.map((d, i) => (d < 0 ? (-0.95 * v[i]) / d : 1)));
    const slope = dot(gradient, direction);
    const before = value(v);
    const moved = () => v.map((x, i) => x + step * direction[i]);
    // Close to the minimum values differ by less than their rounding, and Newton's step is right as it is.
    while (slope < -1e-8 && step > 1e-12 && !(value(moved()) <= before + 1e-4 * step * slope)) step /= 2;
    v = moved();
    if (!v.every((x) => x < 1e8)) return undefined;
  }
  return relative(times(cosines, v), v) < 1e-9 ? answer(v) : undefined;
}
