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
//
// An image takes seconds, so images are counted in worker threads while the next ones are predicted.
import {
  type Absent,
  component,
  Configured,
  defineOptions,
  IGNORE,
  type LabelMap,
  type MapData,
  type Metric,
  type MetricRun,
  MtcpError,
  type OptionsOf,
  type Task,
} from '../../registry/index.js';
import {
  countBoundaries,
  type BoundaryImage,
  type Counting,
  type Counts,
} from './machinery/boundary-counts.js';
import { ImageThreads } from './machinery/image-threads.js';

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

const WORKER = new URL('./machinery/boundary-worker.js', import.meta.url);

/**
 * Images of fewer pixels are counted at once. One of 64x96 takes 0.1 s, and starting a thread takes as long as eight of them:
 * a small split of small images would be done later with threads.
 */
const WORTH_A_THREAD = 128 * 128;

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
  #last:
    | (Pick<BoundaryImage, 'prediction' | 'label' | 'width'> & { counts: Counts | Promise<Counts> })
    | undefined;
  /** Started with the first image. */
  #threads: ImageThreads<BoundaryImage, Counts> | undefined;

  readonly values = [
    { name: 'odsF', unit: '%', better: 'higher', primary: true },
    { name: 'oisF', unit: '%', better: 'higher' },
    { name: 'AP', unit: '%', better: 'higher' },
  ] as const;

  start(_task: Task, threads = 1): MetricRun {
    const thresholds = thresholdsOf(this.options.thresholds);
    const images: (Counts | Promise<Counts>)[] = [];
    const failures: unknown[] = [];
    return {
      update: (prediction, label, id) => {
        if (label.data.every((value) => value === IGNORE)) return;
        const counts = counted(id, () => this.#countOnce(prediction, label, thresholds, threads));
        const place = images.push(counts) - 1;
        if (!(counts instanceof Promise)) return;
        counts.then(
          (known) => (images[place] = known),
          (error: unknown) => failures.push(error),
        );
        // An error comes out here, and not only at the end of the split.
        return this.#threads?.room().then(() => {
          if (failures.length > 0) throw failures[0];
        });
      },
      compute: () =>
        images.some((counts) => counts instanceof Promise)
          ? Promise.all(images).then((counts) => valuesOf(counts, thresholds.length))
          : valuesOf(images as Counts[], thresholds.length),
    };
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    const threads = this.#threads;
    this.#threads = this.#last = undefined;
    await threads?.close();
  }

  /** A promise where a thread counts. */
  #countOnce(
    prediction: MapData,
    label: LabelMap,
    thresholds: readonly number[],
    threads: number,
  ): Counts | Promise<Counts> {
    const last = this.#last;
    if (
      last?.width === label.width &&
      areEqual(last.prediction, prediction.data) &&
      areEqual(last.label, label.data)
    )
      return last.counts;
    const { height, width } = label;
    // Copies, since the arrays are written to again; and a view would take all that lies behind it along to a thread.
    const job = { height, width, prediction: prediction.data.slice(), label: label.data.slice() };
    const how: Counting = { ...this.options, thresholds };
    const counts =
      threads > 1 && height * width >= WORTH_A_THREAD
        ? (this.#threads ??= new ImageThreads<BoundaryImage, Counts>(WORKER, threads, how)).run(job)
        : countBoundaries(job, how);
    this.#last = { prediction: job.prediction, label: job.label, width, counts };
    return counts;
  }
}

function areEqual(a: MapData['data'], b: MapData['data']): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** What `count` returns; its errors name the image. */
function counted(id: string | undefined, count: () => Counts | Promise<Counts>): Counts | Promise<Counts> {
  const named = (cause: unknown) => {
    const message = `odsF of ${id ?? 'an image'}: ${(cause as Error).message}`;
    return MtcpError.is(cause)
      ? new MtcpError(cause.kind, message, { where: id, hint: cause.hint, cause })
      : new Error(message, { cause });
  };
  try {
    const counts = count();
    if (!(counts instanceof Promise)) return counts;
    return counts.catch((error: unknown) => {
      throw named(error);
    });
  } catch (error) {
    throw named(error);
  }
}

/** In single precision, like the probabilities that they are compared with. */
function thresholdsOf(which: '99' | 'hed'): number[] {
  const even = Array.from({ length: 99 }, (_, i) => Math.fround((i + 1) / 100));
  return which === '99' ? even : [Math.fround(0.001), ...even, Math.fround(0.999)];
}

/** Sums of whole numbers: the order of the images does not matter. */
function valuesOf(images: readonly Counts[], thresholds: number): Record<string, number | Absent> {
  const labelled = images.reduce((sum, image) => sum + image.labelled, 0);
  if (images.length === 0) return absent('no pixel of the split has a known boundary');
  if (labelled === 0) return absent('no pixel of the split is a boundary');
  const pooled = Array.from({ length: thresholds }, (_, t) =>
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
