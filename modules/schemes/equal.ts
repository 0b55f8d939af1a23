// Equal weighting: the plain sum.
import { component, tasks } from '../../registry/component.js';
import type { Task } from '../../registry/contracts/tasks.js';
import type { OptionsSchema } from '../../registry/options.js';
import { WeightedSum } from './weighted-sum.js';

const schema = {
  type: 'object',
  additionalProperties: false,
  properties: {},
} as const satisfies OptionsSchema;

@component({
  kind: 'scheme',
  name: 'equal',
  summary: 'The sum of the losses.',
  source: 'MT-CP section 3.5, Eq 2 with all weights 1',
  options: schema,
})
export class EqualScheme extends WeightedSum {
  constructor(@tasks() trialTasks: readonly Task[]) {
    super(trialTasks);
  }
}
