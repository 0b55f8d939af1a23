// Cosine decay, with a linear rise before it.
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
  least: {
    type: 'number',
    minimum: 0,
    maximum: 1,
    default: 0,
    description: 'Factor on the learning rate that the decay ends with.',
  },
  ...perOption('iteration'),
  ...warmupOption,
});

@component({
  kind: 'schedule',
  name: 'cosine',
  summary: 'Half a cosine wave from 1 to `least` over the whole run.',
  source: 'Loshchilov and Hutter 2017 (SGDR), Eq 5 without restarts; torch CosineAnnealingLR',
  options: schema,
  file: import.meta.url,
})
export class CosineSchedule extends Configured<OptionsOf<typeof schema>> implements Schedule {
  factor(progress: Progress): number {
    const { least, per, warmup } = this.options;
    const wave = (1 + Math.cos(Math.PI * shareDone(progress, per))) / 2;
    return (least + (1 - least) * wave) * warmedUp(progress, warmup);
  }
}
