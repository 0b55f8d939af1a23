// What all optimizers share: a learning rate, weight decay, and parameter groups.
import type { Optimizer, ParameterGroup } from '../../../registry/index.js';

export const rateOption = <const R extends number>(standard: R) =>
  ({
    type: 'number',
    exclusiveMinimum: 0,
    default: standard,
    description: 'Learning rate before the schedule.',
  }) as const;

/** Weight decay that is part of the gradient. */
export const penaltyOption = {
  type: 'number',
  minimum: 0,
  default: 0,
  description: 'This much of each parameter is added to its gradient (L2 penalty).',
} as const;

/** Some parameters get a learning rate or weight decay of their own. */
export const groupsOption = {
  type: 'array',
  items: {
    type: 'object',
    additionalProperties: false,
    properties: {
      parameters: {
        type: 'string',
        minLength: 1,
        description: 'Names of the parameters; * stands for any characters.',
      },
      rate: {
        type: 'number',
        minimum: 0,
        description: 'Factor on the learning rate; 0 keeps them as they are.',
      },
      weight_decay: { type: 'number', minimum: 0, description: 'Weight decay in place of the general one.' },
      layer_decay: {
        type: 'number',
        exclusiveMinimum: 0,
        maximum: 1,
        description:
          'Factor on the rate from each block of the backbone to the one before it, counted from its end. 0.65 to 0.9 are usual for large transformers.',
      },
    },
    required: ['parameters'],
  },
  default: [],
  description:
    'Parameters with a rate or decay of their own. A parameter belongs to the first group that names it.',
} as const;

/** An optimizer whose rate and groups are options. */
export abstract class ConfiguredOptimizer<O extends { rate: number; groups: readonly ParameterGroup[] }> {
  constructor(protected readonly options: O) {}

  get rate(): number {
    return this.options.rate;
  }

  get groups(): Optimizer['groups'] {
    return this.options.groups;
  }
}
