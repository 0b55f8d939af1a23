// ExcessMTL: tasks are weighted by how far they still are from their best, estimated from gradients scaled by their
// history, by multiplicative updates.
//
// Estimates are divided by those of the first step, as by the authors' code and LibMTL: the first step then leaves the
// weights alone, and tasks whose gradients differ in size start as equals. TorchJD 0.18 does not divide in the first
// step, so that its weights differ from these by as much as the sizes of the tasks' gradients do.
import {
  component,
  defineOptions,
  options,
  tasks,
  type Combination,
  type OptionsOf,
  type PerTask,
  type Task,
  type TaskGradients,
} from '../../../registry/index.js';
import { gradientProperties, GradientScheme, refuseRepresentation } from '../machinery/gradient-scheme.js';

const schema = defineOptions({
  eta: { type: 'number', exclusiveMinimum: 0, default: 0.01, description: 'Step size of the weights.' },
  ...gradientProperties('all', 'weighted'),
});

interface State {
  weights: PerTask<number>;
  /** Sums of squared gradients, cell by cell. */
  squares: PerTask<Float32Array>;
  /** The first estimate of each task's excess risk. */
  first: PerTask<number>;
}

@component({
  kind: 'scheme',
  name: 'excess_mtl',
  summary: 'Weights from estimates of the excess risk of each task.',
  source: 'He et al. 2024 (ExcessMTL), Algorithm 1',
  options: schema,
  file: import.meta.url,
})
export class ExcessRisks extends GradientScheme<OptionsOf<typeof schema>> {
  #state: State = { weights: this.perTask(() => 1), squares: {}, first: {} };

  constructor(@options() options: OptionsOf<typeof schema>, @tasks() trialTasks: readonly Task[]) {
    super(options, trialTasks);
    refuseRepresentation('excess_mtl', options.shared);
  }

  protected mix({ tasks: present, vectors }: TaskGradients): Combination {
    const { weights, squares, first } = this.#state;
    present.forEach((task, t) => {
      const vector = vectors[t];
      const sums = (squares[task] ??= new Float32Array(vector.length));
      let excess = 0;
      for (let i = 0; i < vector.length; i++) {
        const square = vector[i] * vector[i];
        sums[i] += square;
        excess += square / Math.sqrt(sums[i] + 1e-7);
      }
      // A task that starts with a gradient of 0 has nothing to be measured by yet.
      if (excess > 0) first[task] ??= excess;
      if (first[task] !== undefined) weights[task] *= Math.exp((this.options.eta * excess) / first[task]);
    });
    const total = Object.values(weights).reduce((a, b) => a + b, 0);
    for (const task of Object.keys(weights)) weights[task] *= this.tasks.length / total;
    return { coefficients: present.map((task) => weights[task]) };
  }

  override state(): unknown {
    return this.#state;
  }

  override restore(state: unknown): void {
    this.#state = state as State;
  }
}
