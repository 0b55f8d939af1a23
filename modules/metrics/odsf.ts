// Boundaries by thresholds: the F measure of precision and recall, where a predicted pixel is right if it can be paired
// one to one with a labelled pixel nearby. As in SEISM and the edge toolbox, which the field runs in MATLAB:
//
//   probabilities -> non-maximum suppression -> for each threshold a mask -> thinned -> paired with the thinned label
//
//   odsF  the threshold that is best for the whole split, over the pixels of all images
//   oisF  the best threshold of each image by itself, then over the pixels of all images
//   AP    area under the curve of precision over recall, at recalls 0, 0.01, ..., 1 where it is defined
//
// Pixels whose label is unknown count neither as boundaries nor as predictions.
import {
  component,
  Configured,
  defineOptions,
  IGNORE,
  type LabelMap,
  type MapData,
  type Metric,
  type MetricRun,
  type OptionsOf,
} from '../../registry/index.js';
import { countPairs, pointsOf } from './machinery/matching.js';
import { suppress } from './machinery/suppression.js';
import { outline } from '../support/outline.js';
import { thin } from '../support/thin.js';

const schema = defineOptions({
  max_distance: {
    type: 'number',
    exclusiveMinimum: 0,
    maximum: 1,
    default: 0.0075,
    description:
      "How far apart two paired pixels may be, as a share of the image's diagonal: 0.0075 on PASCAL-Context, 0.011 on NYUD-v2.",
  },
  thresholds: {
    enum: ['99', 'hed'],
    default: '99',
    description:
      "0.01, 0.02, ..., 0.99 (Vandenhende's code); hed: 0.001 and 0.999 besides (ATRC, InvPT and the code that most papers share).",
  },
  suppress: {
    type: 'boolean',
    default: true,
    description: 'Non-maximum suppression before the thresholds, as in ATRC and InvPT.',
  },
  outline: {
    type: 'boolean',
    default: false,
    description:
      'Mishap of the original on NYUD-v2: labels are taken for regions, and what is compared are the outlines of their lines, thinned.',
  },
});

interface Counts {
  /** Pairs, for each threshold. */
  paired: Float64Array;
  /** Predicted boundary pixels. */
  predicted: Float64Array;
  labelled: number;
}

@component({
  kind: 'metric',
  name: 'odsf',
  summary:
    'F measure of boundaries at the best threshold of the split, in percent; also at the best of each image, and average precision.',
  source:
    'Martin et al. 2004; Pont-Tuset and Marques, SEISM; prismformore/Boundary-Detection-Evaluation-Tools',
  tasks: ['boundary'],
  options: schema,
  file: import.meta.url,
})
export class OdsF extends Configured<OptionsOf<typeof schema>> implements Metric {
  /** The last image: the split's score and the image's own are asked for one after the other, and counting takes seconds. */
  #last: { prediction: MapData['data']; label: MapData['data']; width: number; counts: Counts } | undefined;

  readonly values = [
    { name: 'odsF', unit: '%', better: 'higher', primary: true },
    { name: 'oisF', unit: '%', better: 'higher' },
    { name: 'AP', unit: '%', better: 'higher' },
  ] as const;

  start(): MetricRun {
    const thresholds = thresholdsOf(this.options.thresholds);
    const images: Counts[] = [];
    return {
      update: (prediction, label) => {
        if (label.data.every((value) => value === IGNORE)) return;
        images.push(this.#countOnce(prediction, label, thresholds));
      },
      compute() {
        const labelled = images.reduce((sum, image) => sum + image.labelled, 0);
        if (images.length === 0) return absent('no pixel of the split has a known boundary');
        if (labelled === 0) return absent('no pixel of the split is a boundary');
        const pooled = thresholds.map((_threshold, t) =>
          scoresOf(
            images.reduce((sum, { paired }) => sum + paired[t], 0),
            images.reduce((sum, { predicted }) => sum + predicted[t], 0),
            labelled,
          ),
        );
        return {
          odsF: 100 * Math.max(...pooled.map(({ f }) => f)),
          oisF: 100 * bestOfEach(images),
          AP: 100 * areaUnder(pooled),
        };
      },
    };
  }

  #countOnce(prediction: MapData, label: LabelMap, thresholds: readonly number[]): Counts {
    const last = this.#last;
    if (
      last?.width === label.width &&
      areEqual(last.prediction, prediction.data) &&
      areEqual(last.label, label.data)
    )
      return last.counts;
    const counts = this.#count(prediction, label, thresholds);
    // Copies, since the arrays are written to again.
    const [predicted, labelled] = [prediction.data.slice(), label.data.slice()];
    this.#last = { prediction: predicted, label: labelled, width: label.width, counts };
    return counts;
  }

  #count(prediction: MapData, label: LabelMap, thresholds: readonly number[]): Counts {
    const { height, width, data } = label;
    const known = (values: ArrayLike<number>) =>
      Float32Array.from(values, (value, p) => (data[p] === IGNORE ? 0 : value));
    const truth = Uint8Array.from(data, (value) => Number(value > 0 && value !== IGNORE));
    const lines = thin(this.options.outline ? outline(truth, height, width) : truth, height, width);
    const labels = pointsOf(lines, height, width);
    const edges = known(prediction.data);
    const thinnest = this.options.suppress ? suppress(edges, height, width) : edges;
    const reach = this.options.max_distance * Math.sqrt(height * height + width * width);
    const counts: Counts = {
      paired: new Float64Array(thresholds.length),
      predicted: new Float64Array(thresholds.length),
      labelled: labels.count,
    };
    let before = -1;
    for (const [t, threshold] of thresholds.entries()) {
      let above = 0;
      for (let p = 0; p < thinnest.length; p++) if (thinnest[p] > threshold) above++;
      // With as many pixels it is the same mask as at the last threshold.
      if (above === before) {
        counts.paired[t] = counts.paired[t - 1];
        counts.predicted[t] = counts.predicted[t - 1];
        continue;
      }
      before = above;
      const mask = Uint8Array.from(thinnest, (value) => Number(value > threshold));
      const predicted = pointsOf(thin(mask, height, width), height, width);
      counts.predicted[t] = predicted.count;
      counts.paired[t] = countPairs(predicted, labels, reach);
    }
    return counts;
  }
}

function areEqual(a: MapData['data'], b: MapData['data']): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** In single precision, like the probabilities that they are compared with. */
function thresholdsOf(which: '99' | 'hed'): number[] {
  const even = Array.from({ length: 99 }, (_, i) => Math.fround((i + 1) / 100));
  return which === '99' ? even : [Math.fround(0.001), ...even, Math.fround(0.999)];
}

interface Scores {
  precision: number;
  recall: number;
  f: number;
}

/** Where nothing is predicted every prediction is right; where nothing is labelled everything is found. */
function scoresOf(paired: number, predicted: number, labelled: number): Scores {
  const recall = labelled === 0 ? 1 : paired / labelled;
  const precision = labelled === 0 ? 0 : predicted === 0 ? 1 : paired / predicted;
  return {
    precision,
    recall,
    f: precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : 0,
  };
}

/** F over the pixels of all images, each at the first threshold that is best for it. */
function bestOfEach(images: readonly Counts[]): number {
  let [paired, predicted, labelled] = [0, 0, 0];
  for (const image of images) {
    let [best, at] = [-1, 0];
    for (let t = 0; t < image.paired.length; t++) {
      const { f } = scoresOf(image.paired[t], image.predicted[t], image.labelled);
      if (f > best) [best, at] = [f, t];
    }
    paired += image.paired[at];
    predicted += image.predicted[at];
    labelled += image.labelled;
  }
  return scoresOf(paired, predicted, labelled).f;
}

/** Of equal recalls, the precision at the lowest threshold; between recalls in straight lines. */
function areaUnder(scores: readonly Scores[]): number {
  const byRecall = new Map<number, number>();
  for (const { recall, precision } of scores) if (!byRecall.has(recall)) byRecall.set(recall, precision);
  const curve = [...byRecall].sort(([a], [b]) => a - b);
  if (curve.length < 2) return 0;
  let sum = 0;
  for (let i = 0, k = 0; i <= 100; i++) {
    const recall = i / 100;
    if (recall < curve[0][0] || recall > curve[curve.length - 1][0]) continue;
    while (k < curve.length - 2 && curve[k + 1][0] < recall) k++;
    const [[r0, p0], [r1, p1]] = [curve[k], curve[k + 1]];
    sum += p0 + ((p1 - p0) * (recall - r0)) / (r1 - r0);
  }
  return sum / 100;
}

const absent = (why: string) => ({ odsF: { absent: why }, oisF: { absent: why }, AP: { absent: why } });
