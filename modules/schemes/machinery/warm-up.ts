// Schemes that measure losses for some epochs before they start: meanwhile the objective is the sum of the logarithms
// of the losses, and the means of the last of these epochs become the yardsticks. The graph is the same before
// and after; the scalar `begun` chooses.
import type * as tf from '../../../registry/tf.js';
import type { EpochMeans, PerTask } from '../../../registry/index.js';
import { logLoss } from './log-losses.js';
import { WeightedSum } from './weighted-sum.js';

interface State {
  epochs: number;
  /** Mean losses of the last warm-up epoch; of a task without a valid pixel in it, of the last that had one. */
  yardsticks: PerTask<number>;
}

export abstract class WarmUpScheme<O> extends WeightedSum<O> {
  #state: State = { epochs: 0, yardsticks: {} };

  /** Epochs before it starts. */
  protected abstract get warmUp(): number;

  protected get begun(): boolean {
    return this.#state.epochs >= this.warmUp;
  }

  /** What a task's losses are measured by; 1 as long as nothing is known. */
  protected yardstick(task: string): number {
    const loss = this.#state.yardsticks[task];
    return loss > 0 ? loss : 1;
  }

  override project(loss: tf.Scalar): tf.Scalar {
    return logLoss(loss);
  }

  scalars(): Record<string, number> {
    const logs = this.tasks.map(
      ({ name }) => [`log_yardstick/${name}`, Math.log(this.yardstick(name))] as const,
    );
    return { begun: this.begun ? 1 : 0, ...Object.fromEntries(logs) };
  }

  epochEnd({ raw }: EpochMeans): void {
    if (!this.begun) Object.assign(this.#state.yardsticks, raw);
    this.#state.epochs++;
  }

  override state(): unknown {
    return this.#state;
  }

  override restore(state: unknown): void {
    this.#state = state as State;
  }
}
