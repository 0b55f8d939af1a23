// Mean intersection over union, from one confusion count over the whole split.
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
} from '../../registry/index.js';

const schema = defineOptions({
  skip_empty: {
    type: 'boolean',
    default: false,
    description: 'Leave out images whose labels are all background or unknown, as human-part benchmarks do.',
  },
});

@component({
  kind: 'metric',
  name: 'miou',
  summary:
    'Mean intersection over union over all classes, in percent; a class that never occurs counts as 0.',
  source: 'Vandenhende et al. 2021, evaluation code',
  tasks: ['classes'],
  options: schema,
  file: import.meta.url,
})
export class MeanIou implements Metric {
  readonly values = [
    { name: 'mIoU', unit: '%', better: 'higher', primary: true },
    { name: 'pixelAccuracy', unit: '%', better: 'higher' },
  ] as const;

  constructor(@options() private readonly options: OptionsOf<typeof schema>) {}

  start(task: Task): MetricRun {
    const { channels } = task;
    const both = new Float64Array(channels);
    const predicted = new Float64Array(channels);
    const labelled = new Float64Array(channels);
    return {
      update: ({ data: prediction }: MapData, { data: label }: LabelMap) => {
        if (this.options.skip_empty && label.every((value) => value === 0 || value === IGNORE)) return;
        for (let i = 0; i < label.length; i++) {
          if (label[i] === IGNORE) continue;
          predicted[prediction[i]]++;
          labelled[label[i]]++;
          if (prediction[i] === label[i]) both[label[i]]++;
        }
      },
      compute: () => {
        let sum = 0;
        let correct = 0;
        let all = 0;
        const perClass: Record<string, number> = {};
        for (let c = 0; c < channels; c++) {
          const iou = both[c] / Math.max(predicted[c] + labelled[c] - both[c], 1e-8);
          perClass[`IoU.${task.classes?.[c] ?? c}`] = 100 * iou;
          sum += iou;
          correct += both[c];
          all += labelled[c];
        }
        return {
          mIoU: (100 * sum) / channels,
          pixelAccuracy: (100 * correct) / Math.max(1, all),
          ...perClass,
        };
      },
    };
  }
}
