// ConFIG: the direction with the same positive cosine to every task's gradient, as long as the gradients' projections
// on it together. It comes from unit gradients u_i alone: d = sum c_i u_i with u_i . d = 1, so C c = 1 with C the
// matrix of cosines; where C is singular, by its pseudo-inverse.
import {
  component,
  defineOptions,
  type Combination,
  type OptionsOf,
  type TaskGradients,
} from '../../../registry/index.js';
import { gradientProperties, GradientScheme, withoutZeros } from '../machinery/gradient-scheme.js';
import { dot, eigenSymmetric, form } from '../machinery/solvers/linear.js';

const schema = defineOptions({ ...gradientProperties('all', 'sum') });

/** Directions of the cosines' matrix with an eigenvalue below this share of the largest are rounding. */
const RANK = 1e-10;

@component({
  kind: 'scheme',
  name: 'config',
  summary: "The direction with one cosine to all tasks' gradients, as long as their projections on it.",
  source: 'Liu et al. 2024 (ConFIG), Eq 1 to 3',
  options: schema,
  file: import.meta.url,
})
export class ConflictFreeDirection extends GradientScheme<OptionsOf<typeof schema>> {
  protected override readonly onlyProducts = true;

  protected mix(gradients: TaskGradients): Combination {
    const coefficients = withoutZeros(gradients, (gram) => {
      const lengths = gram.map((row, i) => Math.sqrt(row[i]));
      const cosines = gram.map((row, i) => row.map((x, j) => x / (lengths[i] * lengths[j])));
      const { values, vectors } = eigenSymmetric(cosines);
      const c = gram.map(() => 0);
      values.forEach((value, k) => {
        if (value <= RANK * values[0]) return;
        const share = vectors[k].reduce((sum, x) => sum + x, 0) / value;
        vectors[k].forEach((x, i) => (c[i] += share * x));
      });
      const size = Math.sqrt(Math.max(0, form(c, cosines, c)));
      // Gradients that cancel have no such direction.
      if (size < 1e-7) return c.map(() => 0);
      const projections = cosines.map((row, i) => (lengths[i] * dot(row, c)) / size);
      const length = projections.reduce((sum, x) => sum + x, 0);
      return c.map((x, i) => (length * x) / (size * lengths[i]));
    });
    return { coefficients };
  }
}
