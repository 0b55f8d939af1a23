// my-block: from gradients to better weights. Here gradient descent with momentum.
import type { Scalar, Tensor1D } from '@tensorflow/tfjs-core';
import { component, defineOptions, options, type Optimizer, type OptionsOf } from 'mtcp/registry';

/** What an experiment file may set; every option has a description and a default. */
const schema = defineOptions({
  rate: {
    type: 'number',
    exclusiveMinimum: 0,
    default: 0.01,
    description: 'Learning rate before the schedule.',
  },
  momentum: {
    type: 'number',
    minimum: 0,
    default: 0.9,
    description: 'Share of the last step that is kept.',
  },
});

@component({
  kind: 'optimizer',
  name: 'my-block',
  summary: 'Gradient descent with momentum.',
  options: schema,
})
export class MyBlock implements Optimizer {
  /** State vectors as long as the parameters, zero at first. */
  readonly slots = ['velocity'];

  constructor(@options() private readonly options: OptionsOf<typeof schema>) {}

  get rate(): number {
    return this.options.rate;
  }

  /** Numbers that change from step to step, handed to `update`. */
  scalars(_step: number, rate: number): Record<string, number> {
    return { rate };
  }

  /** Recorded once, on flat vectors. */
  update(
    parameter: Tensor1D,
    gradient: Tensor1D,
    slots: Record<string, Tensor1D>,
    { rate }: Record<string, Scalar>,
  ): { parameter: Tensor1D; slots: Record<string, Tensor1D> } {
    const velocity = slots.velocity.mul(this.options.momentum).add<Tensor1D>(gradient);
    return { parameter: parameter.sub<Tensor1D>(velocity.mul(rate)), slots: { velocity } };
  }
}
