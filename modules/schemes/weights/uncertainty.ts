// Homoscedastic uncertainty: every task's weight is the inverse of a variance that is learnt with the network.
// With s = log of the variance a task's term is L exp(-s) / 2 + s / 2.
import { component, defineOptions, type OptionsOf } from '../../../registry/index.js';
import { LearntWeights, rateProperty } from '../machinery/learnt-weights.js';

const schema = defineOptions({
  variant: {
    enum: ['kendall', 'mtformer'],
    default: 'kendall',
    description:
      'kendall: L exp(-s) / 2 + s / 2. mtformer: 10 a L exp(-s) + s with weights a, as in its code.',
  },
  start: {
    type: ['number', 'null'],
    default: null,
    description: 'First value of every s; null: -0.5 (kendall, as in LibMTL) or 0 (mtformer).',
  },
  weights: {
    type: 'object',
    additionalProperties: { type: 'number', exclusiveMinimum: 0 },
    default: {},
    description: 'a of the mtformer variant by task; 1 for tasks that are not named.',
  },
  rate: rateProperty,
});

@component({
  kind: 'scheme',
  name: 'uncertainty',
  summary: 'Losses weighted by learnt homoscedastic uncertainty.',
  source: 'Kendall, Gal and Cipolla 2018, Eq 7; MTFormer 2022',
  options: schema,
  file: import.meta.url,
})
export class UncertaintyScheme extends LearntWeights<OptionsOf<typeof schema>> {
  protected get start(): number {
    return this.options.start ?? (this.options.variant === 'kendall' ? -0.5 : 0);
  }

  protected weightOf(s: number, task: string): number {
    return this.#factor(task) * Math.exp(-s);
  }

  protected derivative(s: number, loss: number, task: string): number {
    return -this.weightOf(s, task) * loss + (this.options.variant === 'kendall' ? 0.5 : 1);
  }

  #factor(task: string): number {
    return this.options.variant === 'kendall' ? 0.5 : 10 * (this.options.weights[task] ?? 1);
  }
}
