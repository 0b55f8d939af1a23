// Nash-MTL: the tasks bargain for the direction of the update; the solution is M a = 1 / a with M their Gram matrix.
import {
  component,
  defineOptions,
  options,
  tasks,
  type Combination,
  type OptionsOf,
  type PerTask,
  type StepInfo,
  type Task,
  type TaskGradients,
} from '../../../registry/index.js';
import { form } from '../solvers/linear.js';
import { nashWeights } from '../solvers/nash.js';
import { gradientProperties, GradientScheme, withoutZeros } from './gradient-scheme.js';

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
export class NashBargaining extends GradientScheme {
  #last: PerTask<number>;

  constructor(
    @options() private readonly options: OptionsOf<typeof schema>,
    @tasks() trialTasks: readonly Task[],
  ) {
    super(trialTasks, options);
    this.#last = this.perTask(() => 1);
  }

  protected mix(gradients: TaskGradients, { step }: StepInfo): Combination {
    const { tasks: present, gram } = gradients;
    if (step % this.options.every === 0) {
      const solved = withoutZeros(gradients, (active, indices) => {
        // On M over its Frobenius norm, as in the authors' code: a is then free of the scale of the losses.
        const size = Math.hypot(...active.flat());
        const last = indices.map((i) => this.#last[present[i]]);
        // Where gradients cancel there is no solution: the last one goes on.
        return nashWeights(active.map((row) => row.map((x) => x / size))) ?? last;
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
