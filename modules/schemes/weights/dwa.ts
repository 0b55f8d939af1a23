// Dynamic Weight Average: tasks whose loss fell less from the last but one to the last epoch get more weight.
import {
  component,
  defineOptions,
  type EpochMeans,
  type OptionsOf,
  type PerTask,
} from '../../../registry/index.js';
import { softmax } from '../machinery/adam.js';
import { WeightedSum } from '../machinery/weighted-sum.js';

const schema = defineOptions({
  temperature: {
    type: 'number',
    exclusiveMinimum: 0,
    default: 2,
    description: 'T of the softmax: the larger, the more equal the weights.',
  },
});

@component({
  kind: 'scheme',
  name: 'dwa',
  summary: "Weights K softmax(r / T) of the ratios r of the last two epochs' losses.",
  source: 'Liu, Johns and Davison 2019, Eq 7',
  options: schema,
  file: import.meta.url,
})
export class DynamicWeightAverage extends WeightedSum<OptionsOf<typeof schema>> {
  /** Mean losses of the last two epochs in which the task had any, by task. */
  #losses: PerTask<number[]> = this.perTask(() => []);

  override weights(): PerTask<number> {
    const ratios = this.tasks.map(({ name }) => {
      const [before, last] = this.#losses[name];
      // No second epoch yet, or a loss of 0 to compare with: as if nothing had changed.
      return last === undefined || before === 0 ? 1 : last / before;
    });
    const weights = softmax(
      ratios.map((ratio) => ratio / this.options.temperature),
      ratios.length,
    );
    return this.perTask((_, i) => weights[i]);
  }

  epochEnd({ raw }: EpochMeans): void {
    for (const { name } of this.tasks)
      if (raw[name] !== undefined) this.#losses[name] = [...this.#losses[name], raw[name]].slice(-2);
  }

  override state(): unknown {
    return this.#losses;
  }

  override restore(state: unknown): void {
    this.#losses = state as PerTask<number[]>;
  }
}
