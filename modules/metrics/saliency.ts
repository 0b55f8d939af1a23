// Saliency by thresholds: a probability map becomes a mask at each of them, masks are scored against the label,
// and the best threshold counts. Two benchmarks do so in different ways, and both are always reported:
//
//   sv    p > 0.2, 0.25, ..., 0.9; precision and recall of each image, then their mean over images; beta^2 = 1.
//         The mean Jaccard index over images at its best threshold is what its delta-m uses.
//   atrc  p >= 0.05, 0.1, ..., 0.95; counts pooled over the split; beta^2 = 0.3
//
// An image without a known pixel counts in neither. Where no image has a salient pixel there is no F measure.
//
// Pixels are counted by how many thresholds they pass, so that both benchmarks need one pass over the image.
import {
  component,
  defineOptions,
  options,
  type LabelMap,
  type MapData,
  type Metric,
  type MetricInfo,
  type MetricRun,
  type OptionsOf,
} from '../../registry/index.js';
import { passedCounts } from './machinery/kernels.js';
import { ABOVE, AT_LEAST, CODES, OTHER, SALIENT } from './machinery/thresholds.js';

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
    const means = { precision: zeros(ABOVE), recall: zeros(ABOVE), jaccard: zeros(ABOVE) };
    let images = 0;
    const pooled = { both: zeros(AT_LEAST), predicted: zeros(AT_LEAST), labelled: 0 };
    return {
      update({ data: prediction }: MapData, { data: label }: LabelMap) {
        const { known, labelled, above, atLeast } = count(prediction, label, inv_quirk);
        if (known === 0) return;
        images++;
        for (let t = 0; t < ABOVE.length; t++) {
          const [both, predicted] = [above.both[t], above.predicted[t]];
          const union = predicted + labelled - both;
          means.precision[t] += both / (predicted + TINY);
          means.recall[t] += both / (labelled + TINY);
          means.jaccard[t] += union === 0 ? 1 : both / union;
        }
        pooled.labelled += labelled;
        for (let t = 0; t < AT_LEAST.length; t++) {
          pooled.both[t] += atLeast.both[t];
          pooled.predicted[t] += atLeast.predicted[t];
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

interface Passed {
  /** Pixels that are salient in prediction and label, for each threshold. */
  both: Float64Array;
  predicted: Float64Array;
}

interface Counts {
  /** Pixels with a label. */
  known: number;
  /** Pixels that are salient in the label. */
  labelled: number;
  above: Passed;
  atLeast: Passed;
}

/** @param twice probabilities are passed through another sigmoid before the comparison with AT_LEAST */
function count(prediction: MapData['data'], label: MapData['data'], twice: boolean): Counts {
  const again = twice ? Float32Array.from(prediction, (x) => 1 / (1 + Math.exp(-x))) : prediction;
  const counts = passedCounts(prediction, again, label);
  const [others, salient] = [OTHER, SALIENT].map((kind) => counts.subarray(kind * CODES, (kind + 1) * CODES));
  const passed = (thresholds: Float32Array, ofCode: (code: number) => number): Passed => {
    const [both, predicted] = [zeros(thresholds), zeros(thresholds)];
    for (let code = 0; code < CODES; code++)
      for (let t = 0; t < ofCode(code); t++) {
        both[t] += salient[code];
        predicted[t] += salient[code] + others[code];
      }
    return { both, predicted };
  };
  const labelled = sumOf(salient);
  return {
    known: labelled + sumOf(others),
    labelled,
    above: passed(ABOVE, (code) => Math.floor(code / (AT_LEAST.length + 1))),
    atLeast: passed(AT_LEAST, (code) => code % (AT_LEAST.length + 1)),
  };
}

const sumOf = (counts: Float64Array): number => counts.reduce((sum, n) => sum + n, 0);
