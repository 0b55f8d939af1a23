// Impartial Multi-Task Learning, its gradient side: the combination, with coefficients that sum to 1, whose
// projections on all tasks' gradients are equal. In terms of the cosines C between the gradients that is
// C b = t 1 with b_i = a_i |g_i|, which a small ridge also solves where gradients are collinear or opposite.
import {
  component,
  defineOptions,
  type Combination,
  type OptionsOf,
  type TaskGradients,
} from '../../../registry/index.js';
import { solve } from '../machinery/solvers/linear.js';
import { gradientProperties, GradientScheme, withoutZeros } from '../machinery/gradient-scheme.js';

const schema = defineOptions({ ...gradientProperties('representation', 'sum') });

const RIDGE = 1e-12;

@component({
  kind: 'scheme',
  name: 'imtl_g',
  summary: 'The combination of the gradients with equal projections on all of them.',
  source: 'Liu et al. 2021 (IMTL), Eq 5 and 6',
  options: schema,
  file: import.meta.url,
})
export class ImpartialGradients extends GradientScheme<OptionsOf<typeof schema>> {
  protected override readonly onlyProducts = true;

  protected mix(gradients: TaskGradients): Combination {
    return { coefficients: withoutZeros(gradients, impartial) };
  }
}

function impartial(gram: number[][]): number[] {
  const lengths = gram.map((row, i) => Math.sqrt(row[i]));
  const cosines = gram.map((row, i) =>
    row.map((x, j) => x / (lengths[i] * lengths[j]) + (i === j ? RIDGE : 0)),
  );
  const equal = gram.map(() => 1 / gram.length);
  const b = solve(
    cosines,
    gram.map(() => 1),
  );
  if (!b) return equal;
  const a = b.map((x, i) => x / lengths[i]);
  const total = a.reduce((x, y) => x + y, 0);
  // Coefficients that cancel cannot be brought to the sum 1.
  return Math.abs(total) > 1e-9 * Math.max(...a.map(Math.abs)) ? a.map((x) => x / total) : equal;
}
