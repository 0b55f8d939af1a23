// Loss prioritisation without the log projection (Table 4, "w/ Loss Prioritization").
import {
  component,
  defineOptions,
  type EpochMeans,
  type OptionsOf,
  type PerTask,
} from '../../../registry/index.js';
import { prioritizationOptions, PrioritizedSum } from '../machinery/prioritization.js';

const schema = defineOptions(prioritizationOptions);

@component({
  kind: 'scheme',
  name: 'prioritization',
  summary: 'The sum of the raw losses with more weight for tasks that fall slowly.',
  source: 'MT-CP section 3.5, Eq 4 to 6 on raw losses; Table 4',
  options: schema,
  file: import.meta.url,
})
export class PrioritizationScheme extends PrioritizedSum<OptionsOf<typeof schema>> {
  protected basis({ raw }: Pick<EpochMeans, 'raw' | 'projected'>): PerTask<number> {
    return raw;
  }
}
