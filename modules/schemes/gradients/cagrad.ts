// Conflict-Averse Gradient: within a ball around the mean gradient, the direction that serves the worst-off task
// best.
import {
  component,
  defineOptions,
  type Combination,
  type OptionsOf,
  type TaskGradients,
} from '../../../registry/index.js';
import { form } from '../machinery/solvers/linear.js';
import { conflictAverse } from '../machinery/solvers/simplex.js';
import { gradientProperties, GradientScheme, withoutZeros } from '../machinery/gradient-scheme.js';

const schema = defineOptions({
  c: {
    type: 'number',
    minimum: 0,
    maximum: 1,
    default: 0.5,
    description: 'Radius of the ball relative to the mean gradient: 0 is the mean gradient itself.',
  },
  rescale: {
    enum: [0, 1, 2],
    default: 1,
    description: 'The result divided by 1, by 1 + c^2, or by 1 + c.',
  },
  ...gradientProperties('all', 'sum'),
});

@component({
  kind: 'scheme',
  name: 'cagrad',
  summary: 'The direction near the mean gradient that is best for the worst-off task.',
  source: 'Liu et al. 2021 (CAGrad), Algorithm 1',
  options: schema,
  file: import.meta.url,
})
export class ConflictAverseGradient extends GradientScheme<OptionsOf<typeof schema>> {
  protected override readonly onlyProducts = true;

  protected mix(gradients: TaskGradients): Combination {
    const { c, rescale } = this.options;
    const shrink = [1, 1 + c * c, 1 + c][rescale];
    const coefficients = withoutZeros(gradients, (gram) => {
      const mean = gram.map(() => 1 / gram.length);
      const radius = c * Math.sqrt(Math.max(0, form(mean, gram, mean)));
      const w = conflictAverse(gram, radius);
      const length = Math.sqrt(Math.max(0, form(w, gram, w)));
      // A combination of length 0: the gradients cancel, and there is nowhere to go but along the mean.
      const longest = Math.sqrt(Math.max(...gram.map((row, i) => row[i])));
      const lambda = length > 1e-8 * longest ? radius / length : 0;
      return w.map((x, i) => (mean[i] + lambda * x) / shrink);
    });
    return { coefficients };
  }
}
