// UPGrad: each task's gradient is projected onto the directions that no task objects to, and the projections are
// averaged. Unlike the projection of the mean (DualProj), a task with a small gradient keeps its say.
import {
  component,
  defineOptions,
  type Combination,
  type OptionsOf,
  type TaskGradients,
} from '../../../registry/index.js';
import { gradientProperties, GradientScheme, withoutZeros } from '../machinery/gradient-scheme.js';
import { dualConeWeights } from '../machinery/solvers/dual-cone.js';
import { columnSums } from './pcgrad.js';

const schema = defineOptions({ ...gradientProperties('all', 'sum') });

@component({
  kind: 'scheme',
  name: 'upgrad',
  summary: "The mean of the tasks' gradients, each projected so that it harms no task.",
  source: 'Quinton and Rey 2024 (Jacobian descent), Eq 4 and Proposition 1',
  options: schema,
  file: import.meta.url,
})
export class UnconflictingProjection extends GradientScheme<OptionsOf<typeof schema>> {
  protected override readonly onlyProducts = true;

  protected mix(gradients: TaskGradients): Combination {
    const coefficients = withoutZeros(gradients, (gram) =>
      columnSums(
        gram.map((_, i) =>
          dualConeWeights(
            gram,
            gram.map((__, j) => (i === j ? 1 / gram.length : 0)),
          ),
        ),
      ),
    );
    return { coefficients };
  }
}
