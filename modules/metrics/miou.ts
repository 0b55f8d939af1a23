// Mean intersection over union, from one confusion count over the whole split.
import {
  component,
  Configured,
  defineOptions,
  IGNORE,
  type Absent,
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
    description:
      'Leave out images that are nothing but background, as human-part benchmarks do. One that mixes background and unknown pixels counts, as in their code.',
  },
});

@component({
  kind: 'metric',
  name: 'miou',
  summary:
    'Mean intersection over union over all classes, in percent; a class that never occurs counts as 0. Also the mean over the classes that occur, the share of right pixels, and its mean over classes.',
  source: 'Vandenhende et al. 2021, evaluation code',
  tasks: ['classes'],
  options: schema,
  file: import.meta.url,
})
export class MeanIou extends Configured<OptionsOf<typeof schema>> implements Metric {
  readonly values = [
    {
      name: 'mIoU',
      unit: '%',
      better: 'higher',
      primary: true,
      beside: 'mIoU_present',
      ceiling: {
        value: 'mIoU_ceiling',
        because:
          '{classes_present} of {classes} classes occur in its labels, and the others count as 0; mIoU_present is the mean over those that occur',
      },
    },
    { name: 'mIoU_present', unit: '%', better: 'higher' },
    { name: 'pixelAccuracy', unit: '%', better: 'higher' },
    { name: 'meanAccuracy', unit: '%', better: 'higher' },
  ] as const;

  start(task: Task): MetricRun {
    const { channels } = task;
    const both = new Float64Array(channels);
    const predicted = new Float64Array(channels);
    const labelled = new Float64Array(channels);
    return {
      update: ({ data: prediction }: MapData, { data: label }: LabelMap) => {
        if (this.options.skip_empty && label.every((value) => value === 0)) return;
        for (let i = 0; i < label.length; i++) {
          if (label[i] === IGNORE) continue;
          predicted[prediction[i]]++;
          labelled[label[i]]++;
          if (prediction[i] === label[i]) both[label[i]]++;
        }
      },
      compute: () => {
        const all = labelled.reduce((a, b) => a + b, 0);
        const nothing = {
          absent: this.options.skip_empty
            ? 'every image of the split is nothing but background, or unknown'
            : 'no pixel of the split has a known class',
        };
        let [sum, correct, present, recalls] = [0, 0, 0, 0];
        const perClass: Record<string, number | Absent> = {};
        for (let c = 0; c < channels; c++) {
          const union = predicted[c] + labelled[c] - both[c];
          perClass[`IoU.${task.classes?.[c] ?? c}`] =
            union > 0
              ? (100 * both[c]) / union
              : all > 0
                ? { absent: 'neither labelled nor predicted in the split' }
                : nothing;
          // A class without a label has an IoU of 0 or none.
          if (union > 0) sum += both[c] / union;
          if (labelled[c] > 0) {
            present++;
            recalls += both[c] / labelled[c];
          }
          correct += both[c];
        }
        const over = (value: number, count: number) => (all > 0 ? (100 * value) / count : nothing);
        return {
          mIoU: over(sum, channels),
          mIoU_present: over(sum, present),
          mIoU_ceiling: over(present, channels),
          pixelAccuracy: over(correct, all),
          meanAccuracy: over(recalls, present),
          classes: channels,
          classes_present: present,
          ...perClass,
        };
      },
    };
  }
}
