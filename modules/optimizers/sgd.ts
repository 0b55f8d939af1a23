// Stochastic gradient descent with momentum, step for step torch.optim.SGD (no dampening).
import type { Scalar, Tensor1D } from '../../registry/tf.js';
import { component, defineOptions, options, type Optimizer, type OptionsOf } from '../../registry/index.js';
import { ConfiguredOptimizer, groupsOption, penaltyOption, rateOption } from './machinery/common.js';

const schema = defineOptions({
  rate: rateOption(0.01),
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
  weight_decay: penaltyOption,
  groups: groupsOption,
});

type Options = OptionsOf<typeof schema>;

@component({
  kind: 'optimizer',
  name: 'sgd',
  summary: 'Gradient descent with momentum; weight decay enters the gradient.',
  source: 'Sutskever et al. 2013; torch.optim.SGD',
  options: schema,
  file: import.meta.url,
})
export class Sgd extends ConfiguredOptimizer<Options> implements Optimizer {
  readonly slots = ['momentum'];

  constructor(@options() options: Options) {
    super(options);
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
