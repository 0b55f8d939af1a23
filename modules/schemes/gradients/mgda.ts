// Multiple Gradient Descent: the shortest vector in the convex hull of the tasks' gradients, which no task objects
// to. Solved exactly on the Gram matrix instead of by Frank-Wolfe steps.
import {
  component,
  defineOptions,
  type Combination,
  type OptionsOf,
  type TaskGradients,
} from '../../../registry/index.js';
import { minimumNorm } from '../machinery/solvers/simplex.js';
import { gradientProperties, GradientScheme, withoutZeros } from '../machinery/gradient-scheme.js';

const schema = defineOptions({
  normalization: {
    enum: ['none', 'l2', 'loss', 'loss+'],
    default: 'none',
    description:
      'What gradients are divided by before they are compared: nothing, their length, their loss, or both. The combination is of the gradients as they are.',
  },
  ...gradientProperties('representation', 'sum'),
});

@component({
  kind: 'scheme',
  name: 'mgda',
  summary: "The shortest convex combination of the tasks' gradients.",
  source: 'Desideri 2012; Sener and Koltun 2018, Eq 3',
  options: schema,
  file: import.meta.url,
})
export class MultipleGradientDescent extends GradientScheme<OptionsOf<typeof schema>> {
  protected override readonly onlyProducts = true;

  protected mix(gradients: TaskGradients): Combination {
    const coefficients = withoutZeros(gradients, (gram, active) => {
      const sizes = active.map((i, k) => this.#size(Math.sqrt(gram[k][k]), gradients.terms[i]));
      return minimumNorm(gram.map((row, i) => row.map((x, j) => x / (sizes[i] * sizes[j]))));
    });
    return { coefficients };
  }

  #size(length: number, loss: number): number {
    const positive = loss > 0 ? loss : 1;
    return { none: 1, l2: length, loss: positive, 'loss+': positive * length }[this.options.normalization];
  }
}
