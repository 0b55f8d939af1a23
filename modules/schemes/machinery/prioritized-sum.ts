// A weighted sum whose weights are those of task prioritisation, renewed after every epoch.
import type { Task } from '../../../registry/index.js';
import { initialState, prioritize, type PrioritizeOptions, type PrioritizeState } from './prioritize.js';
import { WeightedSum } from './weighted-sum.js';

export abstract class PrioritizedSum<O extends PrioritizeOptions> extends WeightedSum {
  #state: PrioritizeState;

  constructor(
    protected readonly options: O,
    tasks: readonly Task[],
  ) {
    super(tasks);
    this.#state = initialState(tasks.map(({ name }) => name));
  }

  override weights(): Record<string, number> {
    return this.#state.weights;
  }

  /** @param losses means over the epoch that ended, of the losses whose shares count */
  protected prioritize(losses: Record<string, number>): void {
    this.#state = prioritize(this.#state, losses, this.options);
  }

  override state(): unknown {
    return this.#state;
  }

  override restore(state: unknown): void {
    this.#state = state as PrioritizeState;
  }
}
