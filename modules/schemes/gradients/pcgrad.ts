// Gradient surgery: where two tasks' gradients point against each other, each loses its component along the other.
// All that happens stays in the span of the gradients, so it is done on coefficients and the Gram matrix.
import {
  component,
  defineOptions,
  shuffle,
  type Combination,
  type OptionsOf,
  type StepInfo,
  type TaskGradients,
} from '../../../registry/index.js';
import { dot } from '../machinery/solvers/linear.js';
import { gradientProperties, GradientScheme, withoutZeros } from '../machinery/gradient-scheme.js';

const schema = defineOptions({ ...gradientProperties('all', 'sum') });

@component({
  kind: 'scheme',
  name: 'pcgrad',
  summary: 'Gradients projected onto the normal plane of those they conflict with.',
  source: 'Yu et al. 2020 (PCGrad), Algorithm 1',
  options: schema,
  file: import.meta.url,
})
export class ProjectingConflicts extends GradientScheme<OptionsOf<typeof schema>> {
  protected override readonly onlyProducts = true;

  protected mix(gradients: TaskGradients, { random }: StepInfo): Combination {
    const coefficients = withoutZeros(gradients, (gram) => {
      const rows = gram.map((_, i) => {
        const row = gram.map((__, j) => (i === j ? 1 : 0)) as number[];
        const others = shuffle(
          gram.map((__, j) => j).filter((j) => j !== i),
          random,
        );
        for (const j of others) {
          const along = dot(row, gram[j]);
          if (along < 0) row[j] -= along / gram[j][j];
        }
        return row;
      });
      return columnSums(rows);
    });
    return { coefficients };
  }
}

export const columnSums = (rows: readonly (readonly number[])[]): number[] =>
  rows[0].map((_, j) => rows.reduce((sum, row) => sum + row[j], 0));
