// Projection onto the dual cone of gradients, { x : g_i . x >= 0 for every task }, by weights: the projection of
// sum u_i g_i is sum v_i g_i where v minimises 1/2 v^T M v subject to v >= u, with M the Gram matrix (Quinton and Rey
// 2024, Proposition 1). Solved exactly by the active-set method of Lawson and Hanson, in x = v - u >= 0.
//
// Variables are scaled by the lengths of the gradients, which may differ by orders of magnitude; a ridge that is tiny
// against the scaled diagonal decides between equally good points, as with collinear gradients.
import { solve, times, type Matrix } from './linear.js';

const RIDGE = 1e-12;

/**
 * The weights of the projection of the combination with weights `wanted`.
 * @param gram of gradients that are not zero
 */
export function dualConeWeights(gram: Matrix, wanted: readonly number[]): number[] {
  const n = wanted.length;
  const lengths = gram.map((row, i) => Math.sqrt(row[i]));
  const cosines = gram.map((row, i) =>
    row.map((x, j) => x / (lengths[i] * lengths[j]) + (i === j ? RIDGE : 0)),
  );
  const linear = times(
    cosines,
    wanted.map((u, i) => u * lengths[i]),
  );
  const tolerance = 1e-13 * Math.max(...linear.map(Math.abs));
  const x = Array<number>(n).fill(0);
  let free: number[] = [];
  for (let round = 0; round < 100 * n; round++) {
    const slope = times(cosines, x).map((value, i) => value + linear[i]);
    const entering = slope.reduce(
      (best, value, i) => (!free.includes(i) && value < (best < 0 ? -tolerance : slope[best]) ? i : best),
      -1,
    );
    if (entering < 0) break;
    free = [...free, entering];
    for (;;) {
      const target = onFace(cosines, linear, free);
      if (!target) {
        // Collinear with what is free already: it adds nothing.
        free = free.filter((i) => i !== entering);
        break;
      }
      // Walk towards the face's minimum until the first variables are 0, which leave the face.
      const reach = free.map((i, k) => (target[k] > 0 ? Infinity : x[i] / (x[i] - target[k]) || 0));
      const step = Math.min(1, ...reach);
      free.forEach((i, k) => (x[i] = reach[k] === step ? 0 : x[i] + step * (target[k] - x[i])));
      if (step === 1) break;
      free = free.filter((_, k) => reach[k] !== step);
    }
  }
  return wanted.map((u, i) => u + x[i] / lengths[i]);
}

/** The minimum where only the `free` variables are not 0. */
function onFace(matrix: Matrix, linear: readonly number[], free: readonly number[]): number[] | undefined {
  return solve(
    free.map((i) => free.map((j) => matrix[i][j])),
    free.map((i) => -linear[i]),
  );
}
