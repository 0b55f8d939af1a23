// Fixed weights chosen by hand.
import {
  component,
  defineOptions,
  MtcpError,
  options,
  tasks,
  type OptionsOf,
  type Task,
} from '../../../registry/index.js';
import { didYouMean } from '../../../registry/support/near.js';
import { WeightedSum } from '../machinery/weighted-sum.js';

const schema = defineOptions({
  weights: {
    type: 'object',
    additionalProperties: { type: 'number', minimum: 0 },
    description: 'Weight of each task by name; tasks that are not named have weight 1.',
  },
});

@component({
  kind: 'scheme',
  name: 'manual',
  summary: 'The sum of the losses with fixed weights.',
  source: 'MT-CP section 3.5, Eq 2 ("manual annotation")',
  options: schema,
  file: import.meta.url,
})
export class ManualScheme extends WeightedSum<OptionsOf<typeof schema>> {
  constructor(@options() options: OptionsOf<typeof schema>, @tasks() trialTasks: readonly Task[]) {
    super(options, trialTasks);
    const names = trialTasks.map(({ name }) => name);
    for (const name of Object.keys(options.weights))
      if (!names.includes(name))
        throw new MtcpError('component', `scheme manual: there is no task "${name}" to weigh`, {
          hint: didYouMean(name, names),
        });
  }

  override weights(): Record<string, number> {
    return Object.fromEntries(this.tasks.map(({ name }) => [name, this.options.weights[name] ?? 1]));
  }
}
