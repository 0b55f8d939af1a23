// Loss prioritisation without the log projection (Table 4, "w/ Loss Prioritization").
import {
  component,
  defineOptions,
  options,
  tasks,
  type EpochMeans,
  type OptionsOf,
  type Task,
} from '../../../registry/index.js';
import { prioritizeProperties } from '../machinery/prioritize-options.js';
import { PrioritizedSum } from '../machinery/prioritized-sum.js';

const schema = defineOptions({ ...prioritizeProperties });

type Options = OptionsOf<typeof schema>;

@component({
  kind: 'scheme',
  name: 'prioritization',
  summary: 'The sum of the raw losses with more weight for tasks that fall slowly.',
  source: 'MT-CP section 3.5, Eq 4 to 6 on raw losses; Table 4',
  options: schema,
  file: import.meta.url,
})
export class PrioritizationScheme extends PrioritizedSum<Options> {
  constructor(@options() options: Options, @tasks() trialTasks: readonly Task[]) {
    super(options, trialTasks);
  }

  epochEnd({ raw }: EpochMeans): void {
    this.prioritize(raw);
  }
}
