// Cosine decay, with a linear rise before it.
import {
  component,
  Configured,
  defineOptions,
  type OptionsOf,
  type Progress,
  type Schedule,
} from '../../registry/index.js';

const schema = defineOptions({
  least: {
    type: 'number',
    minimum: 0,
    maximum: 1,
    default: 0,
    description: 'Factor on the learning rate that the decay ends with.',
  },
  per: {
    enum: ['epoch', 'iteration'],
    default: 'iteration',
    description: 'Change the rate after each epoch or after each step.',
  },
  warmup: {
    type: 'integer',
    minimum: 0,
    default: 0,
    description: 'Steps over which the rate first rises linearly from 0.',
  },
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
  factor({ epoch, epochs, step, stepsPerEpoch }: Progress): number {
    const { least, per, warmup } = this.options;
    const done = per === 'epoch' ? epoch / epochs : step / (epochs * stepsPerEpoch);
    const wave = (1 + Math.cos(Math.PI * done)) / 2;
    return (least + (1 - least) * wave) * Math.min(1, (step + 1) / (warmup + 1));
  }
}
