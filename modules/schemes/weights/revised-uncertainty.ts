// Learnt uncertainty whose regulariser stays positive: L / (2 c^2) + ln(1 + c^2).
import { component, defineOptions, type OptionsOf } from '../../../registry/index.js';
import { LearntWeights, rateProperty } from '../machinery/learnt-weights.js';

const schema = defineOptions({
  start: { type: 'number', exclusiveMinimum: 0, default: 1, description: 'First value of every c.' },
  rate: rateProperty,
});

@component({
  kind: 'scheme',
  name: 'revised_uncertainty',
  summary: 'Losses weighted by learnt uncertainty with a regulariser that cannot become negative.',
  source: 'Liebel and Koerner 2018, Eq 3',
  options: schema,
  file: import.meta.url,
})
export class RevisedUncertaintyScheme extends LearntWeights<OptionsOf<typeof schema>> {
  protected get start(): number {
    return this.options.start;
  }

  protected weightOf(c: number): number {
    return 1 / (2 * c * c);
  }

  protected derivative(c: number, loss: number): number {
    return -loss / c ** 3 + (2 * c) / (1 + c * c);
  }
}
