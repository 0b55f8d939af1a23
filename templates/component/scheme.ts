// my-block: a loss-weighting scheme. Here a task's weight follows its share of all losses of the last epoch.
import type { Scalar } from '@tensorflow/tfjs-core';
import {
  component,
  defineOptions,
  options,
  tasks,
  type EpochMeans,
  type OptionsOf,
  type PerTask,
  type Scheme,
  type SchemeInputs,
  type Scope,
  type Task,
  type TaskLoss,
} from 'mtcp/registry';

/** What an experiment file may set; every option has a description and a default. */
const schema = defineOptions({
  power: { type: 'number', default: 1, description: 'Exponent of the share; 0 weighs all tasks alike.' },
});

@component({
  kind: 'scheme',
  name: 'my-block',
  summary: 'Weights by the share of each loss in the sum of the last epoch.',
  options: schema,
})
export class MyBlock implements Scheme {
  #weights: PerTask<number>;

  constructor(
    @options() private readonly options: OptionsOf<typeof schema>,
    @tasks() tasks: readonly Task[],
  ) {
    this.#weights = Object.fromEntries(tasks.map(({ name }) => [name, 1]));
  }

  /** Puts a loss on the scheme's scale, for example its logarithm. */
  project(loss: Scalar): Scalar {
    return loss;
  }

  /** Recorded once; what changes between steps comes in as `weights`. */
  combine(_scope: Scope, losses: PerTask<TaskLoss>, { weights }: SchemeInputs): PerTask<Scalar> {
    return Object.fromEntries(
      Object.entries(losses).map(([task, { value }]) => [task, value.mul<Scalar>(weights[task])]),
    );
  }

  weights(): PerTask<number> {
    return this.#weights;
  }

  epochEnd({ raw }: EpochMeans): void {
    const powers = Object.entries(raw).map(([task, loss]) => [task, loss ** this.options.power] as const);
    const sum = powers.reduce((total, [, power]) => total + power, 0);
    for (const [task, power] of powers) this.#weights[task] = (powers.length * power) / sum;
  }

  /** Everything that a resumed run needs. */
  state(): unknown {
    return this.#weights;
  }

  restore(state: unknown): void {
    this.#weights = state as PerTask<number>;
  }
}
