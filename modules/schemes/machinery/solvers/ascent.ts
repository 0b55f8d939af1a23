// FORUM's weights: in the simplex, with a share nu of the constraint's gradient that is as large as each task's own share asks
// for, nu >= 0 and nu >= pi . w:
//
//   minimise |sum_t w_t g_t + nu q|^2 - nu phi |q|^2,   pi_t = phi - g_t . q / |q|^2
//
// Whatever w is, the objective grows with nu from pi . w - phi / 2 on, so nu is max(0, pi . w). That leaves two quadratic
// problems over the simplex, one with nu = pi . w and one with nu = 0. If the solution of neither lies on its side of
// pi . w = 0, the solution lies on that plane, where a multiplier puts it.
import { dot, type Matrix } from './linear.js';
import { simplexQuadratic } from './simplex.js';

const HALVINGS = 200;

/**
 * @param gram inner products of the tasks' gradients g
 * @param along g_t . q
 * @param square |q|^2, above 0
 * @param pi see above
 * @param phi at least 0
 */
export function ascentWeights(
  gram: Matrix,
  along: readonly number[],
  { square, pi, phi }: { square: number; pi: readonly number[]; phi: number },
): number[] {
  // |sum w_t (g_t + pi_t q)|^2, and what grows with nu. The solver halves the quadratic part.
  const inside = gram.map((row, i) =>
    row.map((x, j) => 2 * (x + pi[i] * along[j] + pi[j] * along[i] + pi[i] * pi[j] * square)),
  );
  const w = simplexQuadratic(
    inside,
    pi.map((p) => -phi * square * p),
  );
  if (dot(w, pi) >= 0) return w;
  const doubled = gram.map((row) => row.map((x) => 2 * x));
  const at = (multiplier: number) =>
    simplexQuadratic(
      doubled,
      pi.map((p) => multiplier * p),
    );
  const free = at(0);
  if (dot(free, pi) <= 0) return free;
  // pi . w falls as the multiplier grows; at the first problem's solution it is below 0.
  let [low, high] = [0, 1];
  while (dot(at(high), pi) > 0 && high < 1e30) high *= 2;
  for (let i = 0; i < HALVINGS && high - low > 1e-15 * high; i++) {
    const middle = (low + high) / 2;
    if (dot(at(middle), pi) > 0) low = middle;
    else high = middle;
  }
  return at(high);
}
