// Polynomial decay to zero.
import {
  component,
  Configured,
  defineOptions,
  type OptionsOf,
  type Progress,
  type Schedule,
} from '../../registry/index.js';
import { perOption, shareDone, warmedUp, warmupOption } from './machinery/progress.js';

const schema = defineOptions({
  power: {
    type: 'number',
    exclusiveMinimum: 0,
    default: 0.9,
    description: 'Exponent of what is left of the run.',
  },
  ...perOption('epoch'),
  ...warmupOption,
});

@component({
  kind: 'schedule',
  name: 'poly',
  summary: '(1 - progress) ^ power.',
  source: 'MT-CP released code; Vandenhende et al. 2021',
  options: schema,
  file: import.meta.url,
})
export class PolySchedule extends Configured<OptionsOf<typeof schema>> implements Schedule {
  factor(progress: Progress): number {
    const { power, per, warmup } = this.options;
    return (1 - shareDone(progress, per)) ** power * warmedUp(progress, warmup);
  }
}
