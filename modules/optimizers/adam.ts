// Adam (Kingma and Ba 2015), step for step torch.optim.Adam: weight decay is part of the gradient.
import type { Scalar, Tensor1D } from '../../registry/tf.js';
import { component, defineOptions, options, type Optimizer, type OptionsOf } from '../../registry/index.js';
import { momentOptions, MOMENTS, momentScalars, momentStep } from './machinery/adam-moments.js';
import { ConfiguredOptimizer, penaltyOption, rateOption } from './machinery/common.js';

const schema = defineOptions({
  rate: rateOption(1e-4),
  weight_decay: penaltyOption,
  ...momentOptions,
});

type Options = OptionsOf<typeof schema>;

@component({
  kind: 'optimizer',
  name: 'adam',
  summary: 'Adam; weight decay enters the gradient.',
  source: 'Kingma and Ba 2015; torch.optim.Adam',
  options: schema,
  file: import.meta.url,
})
export class Adam extends ConfiguredOptimizer<Options> implements Optimizer {
  readonly slots = MOMENTS;

  constructor(@options() options: Options) {
    super(options);
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
