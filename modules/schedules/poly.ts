// Polynomial decay to zero.
import { component, options, type OptionsOf } from '../../registry/component.js';
import type { Progress, Schedule } from '../../registry/contracts/learning.js';
import type { OptionsSchema } from '../../registry/options.js';

const schema = {
  type: 'object',
  additionalProperties: false,
  properties: {
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
  },
  required: ['power', 'per', 'warmup'],
} as const satisfies OptionsSchema;

@component({
  kind: 'schedule',
  name: 'poly',
  summary: '(1 - progress) ^ power.',
  source: 'MT-CP released code; Vandenhende et al. 2021',
  options: schema,
})
export class PolySchedule implements Schedule {
  constructor(@options() private readonly options: OptionsOf<typeof schema>) {}

  factor({ epoch, epochs, step, stepsPerEpoch }: Progress): number {
    const { power, per, warmup } = this.options;
    const done = per === 'epoch' ? epoch / epochs : step / (epochs * stepsPerEpoch);
    return (1 - done) ** power * Math.min(1, (step + 1) / (warmup + 1));
  }
}
