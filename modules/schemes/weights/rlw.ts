// Random Loss Weighting: weights are the softmax of normal noise, drawn anew at every step.
import {
  component,
  defineOptions,
  options,
  tasks,
  type OptionsOf,
  type PerTask,
  type StepInfo,
  type Task,
} from '../../../registry/index.js';
import { softmax } from '../machinery/adam.js';
import { WeightedSum } from '../machinery/weighted-sum.js';

const schema = defineOptions({
  total: {
    enum: ['one', 'tasks'],
    default: 'one',
    description: 'What the weights sum up to: 1, or the number of tasks.',
  },
});

@component({
  kind: 'scheme',
  name: 'rlw',
  summary: 'Random weights at every step.',
  source: 'Lin et al. 2022, random normal weights',
  options: schema,
  file: import.meta.url,
})
export class RandomLossWeighting extends WeightedSum {
  #weights: number[];

  constructor(
    @options() private readonly options: OptionsOf<typeof schema>,
    @tasks() trialTasks: readonly Task[],
  ) {
    super(trialTasks);
    this.#weights = trialTasks.map(() => this.#total / trialTasks.length);
  }

  get #total(): number {
    return this.options.total === 'one' ? 1 : this.tasks.length;
  }

  /** The stream belongs to the step, so there is no state to keep. */
  stepBegin({ random }: StepInfo): void {
    this.#weights = softmax(
      this.tasks.map(() => random.normal()),
      this.#total,
    );
  }

  override weights(): PerTask<number> {
    return this.perTask((_, i) => this.#weights[i]);
  }
}
