// Loss prioritisation without the log projection (Table 4, "w/ Loss Prioritization").
import { component, options, tasks, type OptionsOf } from '../../registry/component.js';
import type { EpochMeans } from '../../registry/contracts/learning.js';
import type { Task } from '../../registry/contracts/tasks.js';
import type { OptionsSchema } from '../../registry/options.js';
import { initialState, prioritize, type PrioritizeState } from './prioritize.js';
import { prioritizeProperties } from './prioritize-options.js';
import { WeightedSum } from './weighted-sum.js';

const schema = {
  type: 'object',
  additionalProperties: false,
  properties: { ...prioritizeProperties },
  required: ['history', 'spread', 'reading', 'min_weight', 'first'],
} as const satisfies OptionsSchema;

@component({
  kind: 'scheme',
  name: 'prioritization',
  summary: 'The sum of the raw losses with more weight for tasks that fall slowly.',
  source: 'MT-CP section 3.5, Eq 4 to 6 on raw losses; Table 4',
  options: schema,
})
export class PrioritizationScheme extends WeightedSum {
  #state: PrioritizeState;

  constructor(
    @options() private readonly options: OptionsOf<typeof schema>,
    @tasks() trialTasks: readonly Task[],
  ) {
    super(trialTasks);
    this.#state = initialState(trialTasks.map(({ name }) => name));
  }

  override weights(): Record<string, number> {
    return this.#state.weights;
  }

  epochEnd({ raw }: EpochMeans): void {
    this.#state = prioritize(this.#state, raw, this.options);
  }

  override state(): unknown {
    return this.#state;
  }

  override restore(state: unknown): void {
    this.#state = state as PrioritizeState;
  }
}
