// MoDo: the weights of the smallest combination, followed by one projected step per training step on products of
// gradients of two samples (see double-sampling.ts).
import {
  component,
  defineOptions,
  options,
  tasks,
  type OptionsOf,
  type Task,
} from '../../../registry/index.js';
import { DoubleSampling } from '../machinery/double-sampling.js';
import { gradientProperties } from '../machinery/gradient-scheme.js';
import { times } from '../machinery/solvers/linear.js';
import { nearestInSimplex } from '../machinery/solvers/simplex.js';

const schema = defineOptions({
  gamma: { type: 'number', exclusiveMinimum: 0, default: 0.001, description: 'Step size of the weights.' },
  rho: { type: 'number', minimum: 0, default: 0.1, description: 'L2 regularisation of the weights.' },
  ...gradientProperties('all', 'sum'),
});

@component({
  kind: 'scheme',
  name: 'modo',
  summary: 'Weights that follow the smallest combination, by gradients of two samples.',
  source: 'Chen et al. 2023 (MoDo), Algorithm 2',
  options: schema,
  file: import.meta.url,
})
export class DoubleSampledWeights extends DoubleSampling<OptionsOf<typeof schema>> {
  constructor(@options() options: OptionsOf<typeof schema>, @tasks() trialTasks: readonly Task[]) {
    super('modo', options, trialTasks);
  }

  protected follow(weights: readonly number[], products: readonly number[][]): number[] {
    const { gamma, rho } = this.options;
    const slopes = times(products, weights);
    return nearestInSimplex(weights.map((w, i) => w - gamma * (slopes[i] + rho * w)));
  }
}
