// Stochastic gradient descent with momentum, step for step torch.optim.SGD (no dampening).
import type { Scalar, Tensor1D } from '@tensorflow/tfjs';
import { component, options, type OptionsOf } from '../../registry/component.js';
import type { Optimizer } from '../../registry/contracts/learning.js';
import type { OptionsSchema } from '../../registry/options.js';
import { groupsOption } from './groups.js';

const schema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    rate: {
      type: 'number',
      exclusiveMinimum: 0,
      default: 0.01,
      description: 'Learning rate before the schedule.',
    },
    momentum: {
      type: 'number',
      minimum: 0,
      maximum: 1,
      default: 0.9,
      description: 'How much of the last move goes on.',
    },
    nesterov: {
      type: 'boolean',
      default: false,
      description: 'Look ahead: the gradient counts as if the move had been made.',
    },
    weight_decay: {
      type: 'number',
      minimum: 0,
      default: 0,
      description: 'This much of each parameter is added to its gradient (L2 penalty).',
    },
    groups: groupsOption,
  },
  required: ['rate', 'momentum', 'nesterov', 'weight_decay', 'groups'],
} as const satisfies OptionsSchema;

@component({
  kind: 'optimizer',
  name: 'sgd',
  summary: 'Gradient descent with momentum; weight decay enters the gradient.',
  source: 'Sutskever et al. 2013; torch.optim.SGD',
  options: schema,
})
export class Sgd implements Optimizer {
  readonly slots = ['momentum'];

  constructor(@options() private readonly options: OptionsOf<typeof schema>) {}

  get rate(): number {
    return this.options.rate;
  }

  get groups() {
    return this.options.groups;
  }

  scalars(_step: number, rate: number, decay = this.options.weight_decay): Record<string, number> {
    return { rate, decay };
  }

  update(
    parameter: Tensor1D,
    gradient: Tensor1D,
    slots: Record<string, Tensor1D>,
    scalars: Record<string, Scalar>,
  ) {
    const { momentum: share, nesterov } = this.options;
    const decayed = gradient.add<Tensor1D>(parameter.mul(scalars.decay));
    const momentum: Tensor1D = slots.momentum.mul<Tensor1D>(share).add(decayed);
    const direction = nesterov ? decayed.add<Tensor1D>(momentum.mul(share)) : momentum;
    return { parameter: parameter.sub<Tensor1D>(direction.mul(scalars.rate)), slots: { momentum } };
  }
}
