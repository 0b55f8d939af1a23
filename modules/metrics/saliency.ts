// Saliency by thresholds: a probability map becomes a mask at each of them, masks are scored against the label,
// and the best threshold counts. Two benchmarks do so in different ways, and both are always reported:
//
//   sv    p > 0.2, 0.25, ..., 0.9; precision and recall of each image, then their mean over images; beta^2 = 1.
//         The mean Jaccard index over images at its best threshold is what its delta-m uses.
//   atrc  p >= 0.05, 0.1, ..., 0.95; counts pooled over the split; beta^2 = 0.3
//
// An image without a known pixel counts in neither. Where no image has a salient pixel there is no F measure.
//
// An image is counted into one bin per threshold interval, so a threshold more costs nothing per pixel.
import {
  component,
  defineOptions,
  IGNORE,
  options,
  type LabelMap,
  type MapData,
  type Metric,
  type MetricInfo,
  type MetricRun,
  type OptionsOf,
} from '../../registry/index.js';

const schema = defineOptions({
  protocol: {
    enum: ['sv', 'atrc'],
    default: 'sv',
    description:
      "Whose maximal F is called maxF: that of Vandenhende's code (F1 of mean precision and recall), which MT-CP uses, or of ATRC and InvPT (pooled, beta^2 = 0.3). Not comparable; both are reported.",
  },
  primary: {
    enum: ['maxF', 'mIoU'],
    default: 'maxF',
    description:
      "Which number tables and delta-m use. The code of Vandenhende and MT-CP uses mIoU for delta-m, MT-CP's Table 2 maxF.",
  },
  inv_quirk: {
    type: 'boolean',
    default: false,
    description:
      "Pass probabilities through a second sigmoid before atrc's thresholds, as InvPT's evaluation does, so that only 0.5 to 0.7 have an effect.",
  },
});

/** Thresholds are compared in single precision, as the originals do. */
const evenly = (from: number, count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => from + i * STEP);
const STEP = 0.05;
const SV = evenly(0.2, 15);
const ATRC = evenly(STEP, 19);
const TINY = 1e-12;

@component({
  kind: 'metric',
  name: 'saliency',
  summary:
    'Maximal F measure over thresholds, in percent, in the two protocols in use; also the mean Jaccard.',
  source: 'Vandenhende et al. 2021, evaluation code; Bruggemann et al. 2021, metrics.py',
  tasks: ['binary'],
  options: schema,
  file: import.meta.url,
})
export class Saliency implements Metric {
  readonly values: readonly MetricInfo[];

  constructor(@options() private readonly options: OptionsOf<typeof schema>) {
    this.values = ['maxF', 'mIoU', 'maxF_sv', 'maxF_atrc'].map((name) => ({
      name,
      unit: '%',
      better: 'higher',
      primary: name === options.primary,
    }));
  }

  start(): MetricRun {
    const { protocol, inv_quirk } = this.options;
    const means = { precision: zeros(SV), recall: zeros(SV), jaccard: zeros(SV) };
    let images = 0;
    const pooled = { both: zeros(ATRC), predicted: zeros(ATRC), labelled: 0 };
    return {
      update({ data: prediction }: MapData, { data: label }: LabelMap) {
        if (label.every((value) => value === IGNORE)) return;
        images++;
        const sv = countAbove(prediction, label, SV, true, false);
        for (let t = 0; t < SV.length; t++) {
          const [both, predicted] = [sv.both[t], sv.predicted[t]];
          const union = predicted + sv.labelled - both;
          means.precision[t] += both / (predicted + TINY);
          means.recall[t] += both / (sv.labelled + TINY);
          means.jaccard[t] += union === 0 ? 1 : both / union;
        }
        const atrc = countAbove(prediction, label, ATRC, false, inv_quirk);
        pooled.labelled += atrc.labelled;
        for (let t = 0; t < ATRC.length; t++) {
          pooled.both[t] += atrc.both[t];
          pooled.predicted[t] += atrc.predicted[t];
        }
      },
      compute() {
        const f1 = means.precision.map((sum, t) => {
          const [p, r] = [sum / images, means.recall[t] / images];
          return (2 * p * r) / (p + r + TINY);
        });
        const weighted = pooled.both.map((both, t) => {
          const [p, r] = [both / pooled.predicted[t], both / pooled.labelled];
          return (1.3 * p * r) / (0.3 * p + r) || 0;
        });
        const unknown = { absent: 'no pixel of the split has a known saliency' };
        const nothing = { absent: 'no pixel of the split is salient' };
        const best = (values: Float64Array) =>
          images === 0 ? unknown : pooled.labelled === 0 ? nothing : 100 * Math.max(...values);
        const maxF_sv = best(f1);
        const maxF_atrc = best(weighted);
        return {
          maxF: protocol === 'sv' ? maxF_sv : maxF_atrc,
          mIoU: images === 0 ? unknown : (100 * Math.max(...means.jaccard)) / images,
          maxF_sv,
          maxF_atrc,
        };
      },
    };
  }
}

const zeros = ({ length }: Float32Array): Float64Array => new Float64Array(length);

interface Counts {
  /** Pixels that are salient in prediction and label, for each threshold. */
  both: Float64Array;
  predicted: Float64Array;
  labelled: number;
}

/** Pixels above each threshold (`strict`), or not below it; those of unknown label are left out. */
function countAbove(
  prediction: MapData['data'],
  label: MapData['data'],
  thresholds: Float32Array,
  strict: boolean,
  twice: boolean,
): Counts {
  const { length } = thresholds;
  const [first, above] = [thresholds[0], new Float64Array(length + 1)];
  const positives = new Float64Array(length + 1);
  let labelled = 0;
  for (let i = 0; i < label.length; i++) {
    if (label[i] === IGNORE) continue;
    const p = twice ? Math.fround(1 / (1 + Math.exp(-prediction[i]))) : prediction[i];
    // How many thresholds p passes: a guess, then the exact comparisons next to it.
    let passed = Math.max(0, Math.min(length, Math.floor((p - first) / STEP + 1) | 0));
    while (passed < length && (strict ? p > thresholds[passed] : p >= thresholds[passed])) passed++;
    while (passed > 0 && !(strict ? p > thresholds[passed - 1] : p >= thresholds[passed - 1])) passed--;
    above[passed]++;
    if (label[i] === 0) continue;
    positives[passed]++;
    labelled++;
  }
  return { both: fromAbove(positives), predicted: fromAbove(above), labelled };
}

/** Counts of "exactly k passed" to counts of "threshold t passed", that is k > t. */
function fromAbove(exactly: Float64Array): Float64Array {
  const out = new Float64Array(exactly.length - 1);
  for (let t = out.length - 1, sum = 0; t >= 0; t--) out[t] = sum += exactly[t + 1];
  return out;
}
