// The Nash bargaining solution for task gradients: positive a with M a = 1 / a (element by element), M their Gram
// matrix. It is the minimum of the strictly convex 1/2 a^T M a - sum log a, found by a damped Newton method.
import { dot, form, solve, times, type Matrix } from './linear.js';

const ITERATIONS = 100;

/**
 * @returns undefined where there is no solution: some positive combination of the gradients is zero, so that the
 *   objective has no minimum (gradients against each other)
 */
export function nashWeights(gram: Matrix): number[] | undefined {
  // Scaled to gradients of length 1: a_i = v_i / |g_i|.
  const lengths = gram.map((row, i) => Math.sqrt(row[i]));
  if (!lengths.every((length) => length > 0)) return undefined;
  const cosines = gram.map((row, i) => row.map((x, j) => x / (lengths[i] * lengths[j])));
  const value = (v: readonly number[]) =>
    0.5 * form(v, cosines, v) - v.reduce((sum, x) => sum + Math.log(x), 0);
  let v = gram.map(() => 1 / Math.sqrt(gram.length));
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const gradient = times(cosines, v).map((x, i) => x - 1 / v[i]);
    const residual = Math.max(...gradient.map((x, i) => Math.abs(x * v[i])));
    if (residual < 1e-13) return v.map((x, i) => x / lengths[i]);
    const hessian = cosines.map((row, i) => row.map((x, j) => x + (i === j ? 1 / (v[i] * v[i]) : 0)));
    const direction = solve(
      hessian,
      gradient.map((x) => -x),
    );
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
  const residual = Math.max(...times(cosines, v).map((x, i) => Math.abs(x * v[i] - 1)));
  return residual < 1e-9 ? v.map((x, i) => x / lengths[i]) : undefined;
}
