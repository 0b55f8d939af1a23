// Random Loss Weighting: weights are the softmax of normal noise, drawn at every step.
import {
  component,
  defineOptions,
  type OptionsOf,
  type PerTask,
  type StepInfo,
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
export class RandomLossWeighting extends WeightedSum<OptionsOf<typeof schema>> {
  #weights = this.tasks.map(() => this.#total / this.tasks.length);

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
