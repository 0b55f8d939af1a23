// AdamW (Loshchilov and Hutter 2019), step for step torch.optim.AdamW.
import type { Scalar, Tensor1D } from '../../registry/tf.js';
import { component, defineOptions, options, type Optimizer, type OptionsOf } from '../../registry/index.js';
import { momentOptions, MOMENTS, momentScalars, momentStep } from './machinery/adam-moments.js';
import { ConfiguredOptimizer, rateOption } from './machinery/common.js';

const schema = defineOptions({
  rate: rateOption(5e-5),
  weight_decay: {
    type: 'number',
    minimum: 0,
    default: 1e-4,
    description: 'Decoupled decay, times the learning rate, of all parameters that receive a gradient.',
  },
  ...momentOptions,
});

type Options = OptionsOf<typeof schema>;

@component({
  kind: 'optimizer',
  name: 'adamw',
  summary: 'Adam with decoupled weight decay.',
  source: 'Loshchilov and Hutter 2019; torch.optim.AdamW',
  options: schema,
  file: import.meta.url,
})
export class AdamW extends ConfiguredOptimizer<Options> implements Optimizer {
  readonly slots = MOMENTS;

  constructor(@options() options: Options) {
    super(options);
  }

  scalars(step: number, rate: number, decay = this.options.weight_decay): Record<string, number> {
    return { keep: 1 - rate * decay, ...momentScalars(step, rate, this.options.betas) };
  }

  update(
    parameter: Tensor1D,
    gradient: Tensor1D,
    slots: Record<string, Tensor1D>,
    scalars: Record<string, Scalar>,
  ) {
    const step = momentStep(gradient, slots, scalars, this.options);
    return { parameter: parameter.mul<Tensor1D>(scalars.keep).sub<Tensor1D>(step.move), slots: step.slots };
  }
}
