// Loss prioritisation without the log projection (Table 4, "w/ Loss Prioritization").
import { component, options, tasks, type OptionsOf } from '../../registry/component.js';
import type { EpochMeans } from '../../registry/contracts/learning.js';
import type { Task } from '../../registry/contracts/tasks.js';
import type { OptionsSchema } from '../../registry/options.js';
import { prioritizeProperties } from './prioritize-options.js';
import { PrioritizedSum } from './prioritized-sum.js';

const schema = {
  type: 'object',
  additionalProperties: false,
  properties: { ...prioritizeProperties },
  required: ['history', 'spread', 'reading', 'min_weight', 'first'],
} as const satisfies OptionsSchema;

type Options = OptionsOf<typeof schema>;

@component({
  kind: 'scheme',
  name: 'prioritization',
  summary: 'The sum of the raw losses with more weight for tasks that fall slowly.',
  source: 'MT-CP section 3.5, Eq 4 to 6 on raw losses; Table 4',
  options: schema,
})
export class PrioritizationScheme extends PrioritizedSum<Options> {
  constructor(@options() options: Options, @tasks() trialTasks: readonly Task[]) {
    super(options, trialTasks);
  }

  epochEnd({ raw }: EpochMeans): void {
    this.prioritize(raw);
  }
}
