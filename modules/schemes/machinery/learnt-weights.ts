// Schemes that learn one number per task (an uncertainty, a loss scale) by gradient descent on their objective. The
// derivative with respect to that number needs only the task's loss, so it is taken here, between the steps, with
// an Adam of its own: the number itself enters the recorded graph as nothing but a loss weight. What the scheme adds
// to the objective to keep its numbers from running away has no gradient for the network and is left out there.
//
// Losses are those of the final predictions; intermediate predictions have the same weights.
import type { PerTask, StepReport } from '../../../registry/index.js';
import { adamStep, newAdam, type AdamState } from './adam.js';
import { WeightedSum } from './weighted-sum.js';

/** The option for the rate of the learnt numbers. */
export const rateProperty = {
  type: ['number', 'null'],
  exclusiveMinimum: 0,
  default: null,
  description: "Learning rate of the learnt numbers (Adam, no decay); null: the network's at every step.",
} as const;

interface State {
  values: number[];
  adam: AdamState;
}

export abstract class LearntWeights<O extends { rate: number | null }> extends WeightedSum<O> {
  #state: State = { values: this.tasks.map(() => this.start), adam: newAdam(this.tasks.length) };

  /** Every task's number before the first step. */
  protected abstract get start(): number;
  /** The loss weight that follows from a task's number. */
  protected abstract weightOf(value: number, task: string): number;
  /** Derivative of the task's term of the scheme's objective with respect to its number. */
  protected abstract derivative(value: number, loss: number, task: string): number;

  /** The learnt numbers, by task. */
  get learnt(): PerTask<number> {
    return this.perTask((_, i) => this.#state.values[i]);
  }

  override weights(): PerTask<number> {
    return this.perTask((task, i) => this.weightOf(this.#state.values[i], task));
  }

  stepEnd({ raw, rate }: StepReport): void {
    const { values, adam } = this.#state;
    const gradients = this.tasks.map(({ name }, i) =>
      raw[name] === undefined ? undefined : this.derivative(values[i], raw[name], name),
    );
    adamStep(adam, values, gradients, this.options.rate ?? rate);
  }

  override state(): unknown {
    return this.#state;
  }

  override restore(state: unknown): void {
    this.#state = state as State;
  }
}
