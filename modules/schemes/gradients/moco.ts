// MoCo: gradients of single batches are noisy, and weights solved from them are biased. Running means of the tasks'
// gradients take their place, and the weights follow the smallest combination by small steps.
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
import { softmax } from '../machinery/adam.js';
import { gradientProperties, GradientScheme, refuseRepresentation } from '../machinery/gradient-scheme.js';

const schema = defineOptions({
  beta: {
    type: 'number',
    exclusiveMinimum: 0,
    maximum: 1,
    default: 0.5,
    description: 'Share of the new gradient in the running one, at the first step.',
  },
  beta_sigma: {
    type: 'number',
    minimum: 0,
    default: 0.5,
    description: 'At step k it is beta / k^beta_sigma.',
  },
  gamma: { type: 'number', minimum: 0, default: 0.1, description: 'Step size of the weights, at first.' },
  gamma_sigma: {
    type: 'number',
    minimum: 0,
    default: 0.5,
    description: 'At step k it is gamma / k^gamma_sigma.',
  },
  rho: { type: 'number', minimum: 0, default: 0, description: 'L2 regularisation of the weights.' },
  ...gradientProperties('all', 'sum'),
});

interface State {
  step: number;
  weights: PerTask<number>;
  running: PerTask<Float32Array>;
}

@component({
  kind: 'scheme',
  name: 'moco',
  summary: 'Running gradients, and weights that follow their smallest combination.',
  source:
    "Fernando et al. 2023 (MoCo), Algorithm 1; gradients scaled and weights by a softmax as in the authors' code",
  options: schema,
  file: import.meta.url,
})
export class MomentumCorrection extends GradientScheme<OptionsOf<typeof schema>> {
  #state: State = { step: 0, weights: this.perTask(() => 1 / this.tasks.length), running: {} };

  constructor(@options() options: OptionsOf<typeof schema>, @tasks() trialTasks: readonly Task[]) {
    super(options, trialTasks);
    refuseRepresentation('moco', options.shared);
  }

  protected mix({ tasks: present, vectors, gram, raw }: TaskGradients): Combination {
    const state = this.#state;
    const { rho } = this.options;
    state.step++;
    const beta = this.options.beta / state.step ** this.options.beta_sigma;
    const gamma = this.options.gamma / state.step ** this.options.gamma_sigma;
    const running = present.map((task, t) => {
      const mean = (state.running[task] ??= new Float32Array(vectors[t].length));
      // Each task's gradient at the length of its loss.
      const factor = raw[t] / (Math.sqrt(gram[t][t]) + 1e-8);
      for (let i = 0; i < mean.length; i++) mean[i] += beta * (factor * vectors[t][i] - mean[i]);
      return mean;
    });
    const old = present.map((task) => state.weights[task]);
    const combinedOld = weightedSum(running, old);
    const moved = running.map((mean, t) => {
      let slope = rho * old[t];
      for (let i = 0; i < mean.length; i++) slope += mean[i] * combinedOld[i];
      return old[t] - gamma * slope;
    });
    // Tasks that are not there keep their share.
    const share = old.reduce((a, b) => a + b, 0);
    const coefficients = softmax(moved, share);
    present.forEach((task, t) => (state.weights[task] = coefficients[t]));
    return { coefficients, combined: Float32Array.from(weightedSum(running, coefficients)) };
  }

  override state(): unknown {
    return this.#state;
  }

  override restore(state: unknown): void {
    this.#state = state as State;
  }
}

function weightedSum(vectors: readonly Float32Array[], weights: readonly number[]): Float64Array {
  const sum = new Float64Array(vectors[0].length);
  vectors.forEach((vector, t) => {
    for (let i = 0; i < sum.length; i++) sum[i] += weights[t] * vector[i];
  });
  return sum;
}
