// Dual-Balancing: losses are balanced by their logarithms, gradients by bringing running means of the tasks' gradients
// to the length of the longest.
import type { Scalar } from '../../../registry/tf.js';
import {
  component,
  defineOptions,
  options,
  tasks,
  type Combination,
  type OptionsOf,
  type PerTask,
  type SchemeNeeds,
  type Task,
  type TaskGradients,
} from '../../../registry/index.js';
import { gradientProperties, GradientScheme, refuseRepresentation } from '../machinery/gradient-scheme.js';

const schema = defineOptions({
  beta: {
    type: 'number',
    minimum: 0,
    maximum: 1,
    default: 0.9,
    description: 'Share of the old gradient in the running one.',
  },
  sigma: {
    type: 'number',
    minimum: 0,
    default: 0,
    description: 'At step k the share is beta / k^sigma; 0 in LibMTL, 0.5 in the paper.',
  },
  ...gradientProperties('all', 'sum'),
});

const EPSILON = 1e-8;

@component({
  kind: 'scheme',
  name: 'db_mtl',
  summary: 'Log losses, and running gradients brought to one length.',
  source: 'Lin et al. 2023 (DB-MTL), Algorithm 1',
  options: schema,
  file: import.meta.url,
})
export class DualBalancing extends GradientScheme<OptionsOf<typeof schema>> {
  #state: { step: number; running: PerTask<Float32Array> } = { step: 0, running: {} };

  constructor(@options() options: OptionsOf<typeof schema>, @tasks() trialTasks: readonly Task[]) {
    super(options, trialTasks);
    refuseRepresentation('db_mtl', options.shared);
  }

  override get needs(): SchemeNeeds {
    return { ...super.needs, alone: 'takes logarithms of the losses itself' };
  }

  override project(loss: Scalar): Scalar {
    return loss.add<Scalar>(EPSILON).log();
  }

  protected mix({ tasks: present, vectors }: TaskGradients): Combination {
    const state = this.#state;
    state.step++;
    const old = this.options.beta / state.step ** this.options.sigma;
    const running = present.map((task, t) => {
      const mean = (state.running[task] ??= new Float32Array(vectors[t].length));
      for (let i = 0; i < mean.length; i++) mean[i] = vectors[t][i] + old * (mean[i] - vectors[t][i]);
      return mean;
    });
    const lengths = running.map((vector) => {
      let sum = 0;
      for (let i = 0; i < vector.length; i++) sum += vector[i] * vector[i];
      return Math.sqrt(sum);
    });
    const longest = Math.max(...lengths);
    const coefficients = lengths.map((length) => (longest > 0 ? longest / (length + EPSILON) : 1));
    const combined = new Float32Array(vectors[0].length);
    running.forEach((vector, t) => {
      for (let i = 0; i < combined.length; i++) combined[i] += coefficients[t] * vector[i];
    });
    return { coefficients, combined };
  }

  override state(): unknown {
    return this.#state;
  }

  override restore(state: unknown): void {
    this.#state = state as { step: number; running: PerTask<Float32Array> };
  }
}
