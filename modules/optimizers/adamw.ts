// AdamW (Loshchilov and Hutter 2019), step for step torch.optim.AdamW.
import type { Scalar, Tensor1D } from '@tensorflow/tfjs';
import { component, options, type OptionsOf } from '../../registry/component.js';
import type { Optimizer } from '../../registry/contracts/learning.js';
import type { OptionsSchema } from '../../registry/options.js';

const schema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    rate: {
      type: 'number',
      exclusiveMinimum: 0,
      default: 5e-5,
      description: 'Learning rate before the schedule.',
    },
    betas: {
      type: 'array',
      items: { type: 'number', minimum: 0, maximum: 1 },
      minItems: 2,
      maxItems: 2,
      default: [0.9, 0.999],
      description: 'Decay of the first and the second moment.',
    },
    epsilon: {
      type: 'number',
      exclusiveMinimum: 0,
      default: 1e-8,
      description: 'Added to the root of the second moment.',
    },
    weight_decay: {
      type: 'number',
      minimum: 0,
      default: 1e-4,
      description: 'Decoupled decay, times the learning rate, of all parameters that receive a gradient.',
    },
  },
  required: ['rate', 'betas', 'epsilon', 'weight_decay'],
} as const satisfies OptionsSchema;

@component({
  kind: 'optimizer',
  name: 'adamw',
  summary: 'Adam with decoupled weight decay.',
  source: 'Loshchilov and Hutter 2019; torch.optim.AdamW',
  options: schema,
})
export class AdamW implements Optimizer {
  readonly slots = ['first_moment', 'second_moment'];

  constructor(@options() private readonly options: OptionsOf<typeof schema>) {}

  get rate(): number {
    return this.options.rate;
  }

  scalars(step: number, rate: number): Record<string, number> {
    const [beta1, beta2] = this.options.betas;
    return {
      keep: 1 - rate * this.options.weight_decay,
      stride: rate / (1 - beta1 ** step),
      correction: 1 / Math.sqrt(1 - beta2 ** step),
    };
  }

  update(
    parameter: Tensor1D,
    gradient: Tensor1D,
    slots: Record<string, Tensor1D>,
    scalars: Record<string, Scalar>,
  ) {
    const [beta1, beta2] = this.options.betas;
    const first: Tensor1D = slots.first_moment.mul<Tensor1D>(beta1).add(gradient.mul(1 - beta1));
    const second: Tensor1D = slots.second_moment.mul<Tensor1D>(beta2).add(gradient.square().mul(1 - beta2));
    const scale = second.sqrt().mul(scalars.correction).add(this.options.epsilon);
    const moved: Tensor1D = parameter.mul<Tensor1D>(scalars.keep).sub(first.div(scale).mul(scalars.stride));
    return { parameter: moved, slots: { first_moment: first, second_moment: second } };
  }
}
