// Schemes whose weights a solve M a = a^(-1/alpha), M the Gram matrix: solved every so many steps, kept in between and
// where there is no solution, and the combined gradient cut to a largest length.
import type { Combination, PerTask, StepInfo, TaskGradients } from '../../../registry/index.js';
import { GradientScheme, withoutZeros, type GradientOptions } from './gradient-scheme.js';
import { fairWeights } from './solvers/fair.js';
import { form } from './solvers/linear.js';

export const fairProperties = {
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
} as const;

export abstract class FairScheme<
  O extends GradientOptions & { every: number; max_norm: number | null },
> extends GradientScheme<O> {
  protected override readonly onlyProducts = true;

  #last: PerTask<number> = this.perTask(() => 1);

  /** What the weights' power is -1 over. */
  protected abstract get alpha(): number;

  protected mix(gradients: TaskGradients, { step }: StepInfo): Combination {
    const { tasks: present, gram } = gradients;
    if (step % this.options.every === 0) {
      const solved = withoutZeros(gradients, (active, indices) => {
        const last = indices.map((i) => this.#last[present[i]]);
        // If the gradients cancel there is no solution, and the last one is kept.
        return fairWeights(active, this.alpha) ?? last;
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
