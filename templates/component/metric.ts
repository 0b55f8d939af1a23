// my-block: a score for depth. Here the share of pixels whose depth is off by less than a bound.
import {
  component,
  defineOptions,
  IGNORE,
  options,
  type LabelMap,
  type MapData,
  type Metric,
  type MetricRun,
  type OptionsOf,
  type Task,
} from 'mtcp/registry';

/** What an experiment file may set; every option has a description and a default. */
const schema = defineOptions({
  bound: {
    type: 'number',
    exclusiveMinimum: 0,
    default: 0.1,
    description: 'Largest error that counts as right, metres.',
  },
});

@component({
  kind: 'metric',
  name: 'my-block',
  summary: 'Share of pixels whose depth error is below a bound, in percent.',
  tasks: ['depth'],
  options: schema,
})
export class MyBlock implements Metric {
  /** What it computes; tables show the primary one, and `better` gives it its arrow. */
  readonly values = [{ name: 'within', unit: '%', better: 'higher', primary: true }] as const;

  constructor(@options() private readonly options: OptionsOf<typeof schema>) {}

  start(_task: Task): MetricRun {
    let [count, right] = [0, 0];
    return {
      /** One image: metres against metres, both row-major. */
      update: ({ data: prediction }: MapData, { data: label }: LabelMap) => {
        for (let i = 0; i < label.length; i++) {
          if (label[i] === IGNORE) continue;
          count++;
          if (Math.abs(prediction[i] - label[i]) < this.options.bound) right++;
        }
      },
      /** Where nothing was counted there is no value, rather than 0 or NaN: tables show a dash and the reason. */
      compute: () => ({
        within: count > 0 ? (100 * right) / count : { absent: 'no pixel of the split has a known depth' },
      }),
    };
  }
}
