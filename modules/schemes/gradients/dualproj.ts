// DualProj: the mean gradient, projected onto the directions that no task objects to; the step of gradient episodic
// memory, with all tasks as the memory.
import {
  component,
  defineOptions,
  type Combination,
  type OptionsOf,
  type TaskGradients,
} from '../../../registry/index.js';
import { gradientProperties, GradientScheme, withoutZeros } from '../machinery/gradient-scheme.js';
import { dualConeWeights } from '../machinery/solvers/dual-cone.js';

const schema = defineOptions({ ...gradientProperties('all', 'sum') });

@component({
  kind: 'scheme',
  name: 'dualproj',
  summary: 'The mean gradient, projected so that it harms no task.',
  source: 'Lopez-Paz and Ranzato 2017 (GEM), Eq 8 to 11',
  options: schema,
  file: import.meta.url,
})
export class DualProjection extends GradientScheme<OptionsOf<typeof schema>> {
  protected override readonly onlyProducts = true;

  protected mix(gradients: TaskGradients): Combination {
    const coefficients = withoutZeros(gradients, (gram) =>
      dualConeWeights(
        gram,
        gram.map(() => 1 / gram.length),
      ),
    );
    return { coefficients };
  }
}
