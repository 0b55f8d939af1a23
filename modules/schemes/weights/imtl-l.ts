// Impartial Multi-Task Learning, its loss side: a scale exp(s) of each loss is learnt that brings all to 1, since
// exp(s) L - s is smallest where exp(s) L = 1.
import { component, defineOptions, type OptionsOf } from '../../../registry/index.js';
import { LearntWeights, rateProperty } from '../machinery/learnt-weights.js';

const schema = defineOptions({ rate: rateProperty });

@component({
  kind: 'scheme',
  name: 'imtl_l',
  summary: 'Losses times learnt scales that bring them all to 1.',
  source: 'Liu et al. 2021 (IMTL), Eq 7; both sides: compose imtl_l with imtl_g',
  options: schema,
  file: import.meta.url,
})
export class ImpartialLosses extends LearntWeights<OptionsOf<typeof schema>> {
  protected get start(): number {
    return 0;
  }

  protected weightOf(s: number): number {
    return Math.exp(s);
  }

  protected derivative(s: number, loss: number): number {
    return Math.exp(s) * loss - 1;
  }
}
