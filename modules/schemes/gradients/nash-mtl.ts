// Nash-MTL: the tasks bargain for the direction of the update; the solution is M a = 1 / a with M their Gram matrix,
// so that a_i (M a)_i = 1 for each task and the combined gradient has length sqrt(K) before it is clipped, whatever the
// scale of the losses. The authors' code solves the same equation (it divides M by its norm, and multiplies the norm
// back in its constraint), by at most 20 convex problems that often stop before it holds: on gradients whose Gram matrix
// has a condition of some thousands, a_i (M a)_i of one task was up to 60. Newton's method here ends where it holds.
import {
  component,
  defineOptions,
  type Combination,
  type OptionsOf,
  type PerTask,
  type StepInfo,
  type TaskGradients,
} from '../../../registry/index.js';
import { form } from '../machinery/solvers/linear.js';
import { nashWeights } from '../machinery/solvers/nash.js';
import { gradientProperties, GradientScheme, withoutZeros } from '../machinery/gradient-scheme.js';

const schema = defineOptions({
  every: {
    type: 'integer',
    minimum: 1,
    default: 1,
    description: 'Steps between two solutions; in between the last one counts.',
  },
  max_norm: {
    type: ['number', 'null'],
    exclusiveMinimum: 0,
    default: 1,
    description: 'Largest length of the combined gradient of the shared set; null: no limit.',
  },
  ...gradientProperties('all', 'weighted'),
});

@component({
  kind: 'scheme',
  name: 'nash_mtl',
  summary: "The Nash bargaining solution between the tasks' gradients.",
  source: 'Navon et al. 2022 (Nash-MTL), Claim 3.2 and Algorithm 1',
  options: schema,
  file: import.meta.url,
})
export class NashBargaining extends GradientScheme<OptionsOf<typeof schema>> {
  #last: PerTask<number> = this.perTask(() => 1);

  protected mix(gradients: TaskGradients, { step }: StepInfo): Combination {
    const { tasks: present, gram } = gradients;
    if (step % this.options.every === 0) {
      const solved = withoutZeros(gradients, (active, indices) => {
        const last = indices.map((i) => this.#last[present[i]]);
        // If the gradients cancel there is no solution, and the last one is kept.
        return nashWeights(active) ?? last;
      });
      this.#last = { ...this.#last, ...Object.fromEntries(present.map((task, i) => [task, solved[i]])) };
    }
    const weights = present.map((task) => this.#last[task]);
    const { max_norm: limit } = this.options;
    const length = Math.sqrt(Math.max(0, form(weights, gram, weights)));
    const shrink = limit === null || length <= limit ? 1 : limit / (length + 1e-6);
    return { coefficients: weights.map((weight) => shrink * weight), outside: weights };
  }

  override state(): unknown {
    return this.#last;
  }

  override restore(state: unknown): void {
    this.#last = state as PerTask<number>;
  }
}
