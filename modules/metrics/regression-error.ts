// Errors of plain values, pooled over every known value of the split.
import {
  component,
  defineOptions,
  IGNORE,
  options,
  type Metric,
  type MetricInfo,
  type MetricRun,
  type OptionsOf,
} from '../../registry/index.js';

const schema = defineOptions({
  unit: { type: 'string', default: '', description: 'What the values are measured in, for tables.' },
});

@component({
  kind: 'metric',
  name: 'regression_error',
  summary: 'Mean absolute error over all known values of the split; also the root mean square error.',
  options: schema,
  file: import.meta.url,
})
export class RegressionError implements Metric {
  readonly values: readonly MetricInfo[];

  constructor(@options() { unit }: OptionsOf<typeof schema>) {
    this.values = [
      { name: 'MAE', unit, better: 'lower', primary: true },
      { name: 'RMSE', unit, better: 'lower' },
    ];
  }

  start(): MetricRun {
    let [sum, squares, count] = [0, 0, 0];
    return {
      update({ data: prediction }, { data: label, channels }) {
        for (let i = 0; i < label.length; i++) {
          if (label[i - (i % channels)] === IGNORE) continue;
          const error = prediction[i] - label[i];
          sum += Math.abs(error);
          squares += error * error;
          count++;
        }
      },
      compute: () => {
        const none = { absent: 'no pixel of the split has a known value' };
        return count > 0 ? { MAE: sum / count, RMSE: Math.sqrt(squares / count) } : { MAE: none, RMSE: none };
      },
    };
  }
}
