// The quick measure of boundaries that some papers print where others print odsF: the balanced cross entropy of the
// validation split. It ranks models otherwise than odsF does and is comparable with nothing but itself.
import {
  component,
  Configured,
  defineOptions,
  IGNORE,
  type Metric,
  type MetricRun,
  type OptionsOf,
} from '../../registry/index.js';

const schema = defineOptions({
  positive_weight: {
    type: 'number',
    minimum: 0,
    maximum: 1,
    default: 0.95,
    description: 'Weight of boundary pixels; the others weigh 1 less it.',
  },
  second_sigmoid: {
    type: 'boolean',
    default: true,
    description:
      'Mishap of the original: probabilities are taken for logits and pass through a second sigmoid. Printed numbers are of that.',
  },
});

@component({
  kind: 'metric',
  name: 'boundary_loss',
  summary: 'Loss only, not odsF: mean balanced cross entropy of boundaries over the pixels of the split.',
  source: 'Vandenhende et al. 2021, evaluation code: EdgeMeter',
  tasks: ['boundary'],
  options: schema,
  file: import.meta.url,
})
export class BoundaryLoss extends Configured<OptionsOf<typeof schema>> implements Metric {
  readonly values = [{ name: 'loss', unit: '', better: 'lower', primary: true }] as const;

  start(): MetricRun {
    const { positive_weight: weight, second_sigmoid } = this.options;
    let [sum, count] = [0, 0];
    return {
      update({ data: prediction }, { data: label }) {
        for (let i = 0; i < label.length; i++) {
          if (label[i] === IGNORE) continue;
          const p = second_sigmoid ? 1 / (1 + Math.exp(-prediction[i])) : prediction[i];
          const bounded = Math.min(1 - 1e-7, Math.max(1e-7, p));
          sum -= label[i] >= 0.5 ? weight * Math.log(bounded) : (1 - weight) * Math.log(1 - bounded);
          count++;
        }
      },
      compute: () => ({
        loss: count > 0 ? sum / count : { absent: 'no pixel of the split has a known boundary' },
      }),
    };
  }
}
