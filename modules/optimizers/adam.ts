// Adam (Kingma and Ba 2015), step for step torch.optim.Adam: weight decay is part of the gradient.
import type { Scalar, Tensor1D } from '@tensorflow/tfjs';
import { component, options, type OptionsOf } from '../../registry/component.js';
import type { Optimizer } from '../../registry/contracts/learning.js';
import type { OptionsSchema } from '../../registry/options.js';
import { momentOptions, MOMENTS, momentScalars, momentStep } from './adam-moments.js';

const schema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    rate: {
      type: 'number',
      exclusiveMinimum: 0,
      default: 1e-4,
      description: 'Learning rate before the schedule.',
    },
    weight_decay: {
      type: 'number',
      minimum: 0,
      default: 0,
      description: 'This much of each parameter is added to its gradient (L2 penalty).',
    },
    ...momentOptions,
  },
  required: ['rate', 'weight_decay', 'betas', 'epsilon', 'groups'],
} as const satisfies OptionsSchema;

@component({
  kind: 'optimizer',
  name: 'adam',
  summary: 'Adam; weight decay enters the gradient.',
  source: 'Kingma and Ba 2015; torch.optim.Adam',
  options: schema,
})
export class Adam implements Optimizer {
  readonly slots = MOMENTS;

  constructor(@options() private readonly options: OptionsOf<typeof schema>) {}

  get rate(): number {
    return this.options.rate;
  }

  get groups() {
    return this.options.groups;
  }

  scalars(step: number, rate: number, decay = this.options.weight_decay): Record<string, number> {
    return { decay, ...momentScalars(step, rate, this.options.betas) };
  }

  update(
    parameter: Tensor1D,
    gradient: Tensor1D,
    slots: Record<string, Tensor1D>,
    scalars: Record<string, Scalar>,
  ) {
    const decayed = gradient.add<Tensor1D>(parameter.mul(scalars.decay));
    const step = momentStep(decayed, slots, scalars, this.options);
    return { parameter: parameter.sub<Tensor1D>(step.move), slots: step.slots };
  }
}
