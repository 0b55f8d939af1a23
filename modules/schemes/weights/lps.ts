// The Loss Prioritization Scheme (paper section 3.5): losses are projected to a common scale by a logarithm, and
// at the end of every epoch tasks whose projected loss falls slowly get more weight.
//
// The released code computes such weights from raw losses, prints them and trains with the plain sum all the
// same: `variant: code`. `code_intended` applies them.
import type { Scalar } from '../../../registry/tf.js';
import {
  component,
  defineOptions,
  type EpochMeans,
  type OptionsOf,
  type PerTask,
} from '../../../registry/index.js';
import { prioritizationOptions, PrioritizedSum } from '../machinery/prioritization.js';
import { logProjection } from '../machinery/weighted-sum.js';

const schema = defineOptions({
  variant: {
    enum: ['paper', 'code', 'code_intended'],
    default: 'paper',
    description:
      'paper: log projection, weights applied. code: raw losses, weights computed but not applied. code_intended: raw losses, weights applied.',
  },
  epsilon: {
    type: 'number',
    minimum: 0,
    default: 1e-6,
    description: 'Added to 1 + L before the logarithm (Eq 3).',
  },
  basis: {
    enum: ['log', 'raw', null],
    default: null,
    description: 'Whether shares are taken of projected or of raw losses; null: as the variant says.',
  },
  ...prioritizationOptions,
});

@component({
  kind: 'scheme',
  name: 'lps',
  summary: 'Loss Prioritization Scheme: log projection, more weight for tasks that fall slowly.',
  source: 'MT-CP section 3.5, Eq 3 to 7',
  options: schema,
  file: import.meta.url,
})
export class LossPrioritizationScheme extends PrioritizedSum<OptionsOf<typeof schema>> {
  override project(loss: Scalar): Scalar {
    return this.options.variant === 'paper' ? logProjection(loss, this.options.epsilon) : loss;
  }

  override weights(): PerTask<number> {
    return this.options.variant === 'code' ? this.perTask(() => 1) : super.weights();
  }

  protected basis({ raw, projected }: Pick<EpochMeans, 'raw' | 'projected'>): PerTask<number> {
    const basis = this.options.basis ?? (this.options.variant === 'paper' ? 'log' : 'raw');
    return basis === 'log' ? projected : raw;
  }
}
