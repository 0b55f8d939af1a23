// Polynomial decay to zero.
import {
  component,
  Configured,
  defineOptions,
  type OptionsOf,
  type Progress,
  type Schedule,
} from '../../registry/index.js';

const schema = defineOptions({
  power: {
    type: 'number',
    exclusiveMinimum: 0,
    default: 0.9,
    description: 'Exponent of what is left of the run.',
  },
  per: {
    enum: ['epoch', 'iteration'],
    default: 'epoch',
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
  name: 'poly',
  summary: '(1 - progress) ^ power.',
  source: 'MT-CP released code; Vandenhende et al. 2021',
  options: schema,
  file: import.meta.url,
})
export class PolySchedule extends Configured<OptionsOf<typeof schema>> implements Schedule {
  factor({ epoch, epochs, step, stepsPerEpoch }: Progress): number {
    const { power, per, warmup } = this.options;
    const done = per === 'epoch' ? epoch / epochs : step / (epochs * stepsPerEpoch);
    return (1 - done) ** power * Math.min(1, (step + 1) / (warmup + 1));
  }
}
