// SDMGrad: the smallest combination of gradients, held near the mean gradient; its weights are found by projected
// gradient descent with momentum on products of gradients of two samples (see double-sampling.ts), from where the last
// step's ended.
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
  lambda: {
    type: 'number',
    minimum: 0,
    default: 0.3,
    description: 'How near the mean gradient the direction is held.',
  },
  iterations: { type: 'integer', minimum: 1, default: 20, description: 'Steps of the weights in each step.' },
  rate: {
    type: 'number',
    exclusiveMinimum: 0,
    default: 5,
    description: "Step size of the weights' descent.",
  },
  momentum: { type: 'number', minimum: 0, default: 0.5, description: "Momentum of the weights' descent." },
  ...gradientProperties('all', 'sum'),
});

@component({
  kind: 'scheme',
  name: 'sdmgrad',
  summary: 'The smallest combination held near the mean gradient, by gradients of two samples.',
  source: 'Xiao et al. 2023 (SDMGrad), Algorithm 1',
  options: schema,
  file: import.meta.url,
})
export class DirectionOriented extends DoubleSampling<OptionsOf<typeof schema>> {
  constructor(@options() options: OptionsOf<typeof schema>, @tasks() trialTasks: readonly Task[]) {
    super('sdmgrad', options, trialTasks);
  }

  protected override coefficient(weight: number): number {
    const { lambda } = this.options;
    return (weight + lambda / this.tasks.length) / (1 + lambda);
  }

  protected follow(weights: readonly number[], products: readonly number[][]): number[] {
    const { lambda, iterations, rate, momentum } = this.options;
    const n = weights.length;
    // Brought to gradients of length 1 on average.
    const length = products.reduce((sum, row, i) => sum + Math.sqrt(Math.max(0, row[i])), 0) / n;
    const scaled = products.map((row) => row.map((x) => x / (length * length + 1e-8)));
    const towardsMean = scaled.map((row) => (lambda * row.reduce((a, b) => a + b, 0)) / n);
    let w = [...weights];
    let velocity = w.map(() => 0);
    for (let i = 0; i < iterations; i++) {
      const slopes = times(scaled, w).map((slope, t) => slope + towardsMean[t]);
      velocity = velocity.map((v, t) => momentum * v + slopes[t]);
      w = nearestInSimplex(w.map((x, t) => x - rate * velocity[t]));
    }
    return w;
  }
}
