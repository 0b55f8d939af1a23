// Scores a model over a split. The recorded part runs the network without gradients and decodes its raw
// predictions at the network's input size; the rest, from there to the stored labels, follows one of two
// protocols:
//
//   sv    the prediction is resized to the size of the stored label and compared there; kinds with `bytes`
//         (normals, probabilities) pass through 8-bit values on the way (`quantize`), because the original saves
//         them as images
//   atrc  no resizing: prediction and label have the same size
//
// If the pipeline pads images instead of stretching them, what was predicted for the padding is cut off first:
// the labels there would be unknown.
import * as tf from '../../registry/tf.js';
import { resizeBilinear } from '../../modules/nn/resize.js';
import { ParameterTable, Pass } from '../../modules/nn/scope.js';
import { decode, encoded, rounded } from '../../modules/support/rounding.js';
import { cropCentre, resize } from '../../modules/support/warp.js';
import type { LabelMap, MapData, Sample, Transform } from '../../registry/contracts/data.js';
import type { Measured, Metric, MetricRun, Scored } from '../../registry/contracts/learning.js';
import type { Task } from '../../registry/contracts/tasks.js';
import { kindOf } from '../../registry/kinds.js';
import { MtcpError } from '../../registry/errors.js';
import type { EvaluateConfig } from '../config/trial.js';
import type { EvaluationBatch } from '../data/batch.js';
import { hostTensor, type Engine, type Program, type Tracer } from '../engine/engine.js';
import type { Binding, HostTensor } from '../engine/ort/session.js';
import type { Network } from '../model/network.js';
import { isBatchedBy } from '../model/step-shape.js';
import { isOnce, ONCE, type TestTime } from '../model/views.js';
import { packingOf } from './step/packing.js';
import type { Weights } from './step/weights.js';
import { averageOverViews } from './test-time.js';

/**
 * One image with what was predicted for it, at the network's input size, without what was padded. Maps are valid until
 * the next image.
 */
export interface Predicted {
  sample: Sample;
  predictions: Record<string, MapData>;
  /** What the metrics saw: predictions at the size of the labels. */
  compared: Record<string, MapData>;
}

export class Evaluation {
  readonly #hosts = new Map<string, HostTensor>();
  readonly #binding: Binding;

  private constructor(
    readonly program: Program,
    readonly tasks: readonly Task[],
    readonly metrics: Record<string, Metric>,
    readonly config: EvaluateConfig,
    weights: Weights,
    /** How the pipeline fits images into the network's input. */
    readonly fit: Transform['fit'],
    private readonly threads: number,
  ) {
    this.#binding = program.bind((name, spec) => {
      const weight = weights.input(name);
      if (weight) return weight;
      const tensor = hostTensor(spec);
      this.#hosts.set(name, tensor);
      return tensor;
    });
  }

  /** @param threads that metrics may use, each */
  static async compile(
    engine: Engine,
    network: Network,
    metrics: Record<string, Metric>,
    config: EvaluateConfig,
    size: readonly [number, number],
    weights: Weights,
    fit?: Transform['fit'],
    threads = 1,
  ): Promise<Evaluation> {
    const program = await engine.compile(
      'evaluation',
      (tracer) => tracePredictions(tracer, network, [config.batch, ...size], config),
      {
        packing: engine.memory && (() => packingOf({ weights })),
        isBatched: isBatchedBy(config.batch),
      },
    );
    return new Evaluation(program, network.tasks, metrics, config, weights, fit, threads);
  }

  /** @param each sees every image with its predictions, in order; the next one waits for it */
  async run(
    batches: AsyncIterable<EvaluationBatch>,
    each?: (predicted: Predicted) => unknown,
  ): Promise<Measured> {
    const runs = started(this.tasks, this.metrics, this.threads);
    const space: Record<string, Float32Array> = {};
    for await (const { image, raw, count } of batches) {
      this.#hosts.get('image')!.data.set(image);
      await this.#binding.run();
      for (let i = 0; i < count; i++) {
        const predictions = Object.fromEntries(
          this.tasks.map(({ name }) => [name, this.#prediction(name, i, raw[i].image)]),
        );
        const compared: Record<string, MapData> = {};
        for (const { task, run } of runs) {
          const label = raw[i].labels[task.name];
          const prediction = predictions[task.name];
          const atLabel = toLabel(prediction, label, task, this.config, raw[i].id, space[task.name]);
          if (atLabel.data !== prediction.data) space[task.name] = atLabel.data as Float32Array;
          compared[task.name] = atLabel;
          await run.update(atLabel, label, raw[i].id);
        }
        await each?.({ sample: raw[i], predictions, compared });
      }
    }
    return measured(await computed(runs));
  }

  /**
   * Nothing is predicted: only sizes are looked at.
   * @throws MtcpError `config` if what would be predicted for these images could not be compared with their labels
   */
  requireComparable({ raw, count }: EvaluationBatch): void {
    for (const { id, image, labels } of raw.slice(0, count))
      for (const task of this.tasks)
        toLabel(this.#prediction(task.name, 0, image), labels[task.name], task, this.config, id);
  }

  /** What was predicted for the i-th image of the batch; a view, overwritten by the next batch. */
  #prediction(task: string, i: number, image: MapData): MapData {
    const { data, shape } = this.#hosts.get(`prediction/${task}`)!;
    const [, height, width, channels = 1] = shape;
    const size = height * width * channels;
    const whole = { height, width, channels, data: data.subarray(i * size, (i + 1) * size) };
    return this.fit === 'pad' ? cropCentre(whole, image.height, image.width) : whole;
  }

  /** Ends the threads of metrics, too. */
  async close(): Promise<void> {
    this.#binding.close();
    this.program.close();
    await closeAll(this.metrics);
  }
}

/**
 * The network and the decoding of what it predicts: `image` to `prediction/<task>`.
 * @param views how often the network sees an image; see test-time.ts
 * @param decoded false: probabilities of classes instead of the class, to be averaged
 */
export function tracePredictions(
  tracer: Tracer,
  network: Network,
  [batch, height, width]: readonly [number, number, number],
  views: TestTime = ONCE,
  decoded = true,
): tf.NamedTensorMap {
  const image = tracer.input('image', 'float32', [batch, height, width, 3]) as tf.Tensor4D;
  const table = new ParameterTable();
  const forward = (view: tf.Tensor4D) => network.forward(new Pass(table, tracer, false).root, view);
  const once = isOnce(views) ? forward(image) : undefined;
  const raw = once ?? averageOverViews(image, network.tasks, forward, views);
  return Object.fromEntries(
    network.tasks.map((task) => {
      const whole = once ? resizeBilinear(once[task.name], [height, width]) : raw[task.name];
      const kind = kindOf(task);
      // Averages of classes are probabilities already; what is largest is largest either way.
      const soft = decoded ? undefined : kind.batch === 'indices' && (once ? tf.softmax(whole) : whole);
      return [`prediction/${task.name}`, soft || kind.decode(whole, task)];
    }),
  );
}

/** @throws MtcpError if a metric of a plugin starts nothing that can score */
function started(
  tasks: readonly Task[],
  metrics: Readonly<Record<string, Metric>>,
  threads: number,
): { task: Task; run: MetricRun }[] {
  return tasks.map((task) => {
    const run = metrics[task.name].start(task, threads);
    if (typeof run?.update !== 'function' || typeof run.compute !== 'function')
      throw new MtcpError(
        'component',
        `start of the metric of "${task.name}" returns nothing that can score`,
        {
          hint: 'it must return { update(prediction, label), compute() }',
        },
      );
    return { task, run };
  });
}

const computed = (runs: readonly { task: Task; run: MetricRun }[]): Promise<[string, Scored][]> =>
  Promise.all(runs.map(async ({ task, run }) => [task.name, await run.compute()] as [string, Scored]));

async function closeAll(metrics: Readonly<Record<string, Metric>>): Promise<void> {
  await Promise.all(Object.values(metrics).map((metric) => metric.close?.()));
}

/** The values of tasks as one record; what is not a finite number is null, with the reason. */
export function measured(results: readonly [string, Scored][]): Measured {
  const metrics: Measured['metrics'] = {};
  const absent: Record<string, string> = {};
  for (const [task, values] of results) {
    if (typeof values !== 'object' || values === null)
      throw new MtcpError('component', `compute of the metric of "${task}" returns ${String(values)}`, {
        hint: 'it must return { VALUE: number } for each of its values',
      });
    for (const [name, value] of Object.entries(values)) {
      const isNumber = typeof value === 'number' && Number.isFinite(value);
      metrics[`${task}.${name}`] = isNumber ? value : null;
      if (!isNumber)
        absent[`${task}.${name}`] = typeof value === 'object' ? value.absent : `it came to ${value}`;
    }
  }
  return Object.keys(absent).length > 0 ? { metrics, absent } : { metrics };
}

/**
 * A decoded prediction at the label's size.
 * @param into where values that are rounded at that size are put if there is room
 */
export function toLabel(
  prediction: MapData,
  label: LabelMap,
  task: Task,
  { mode, quantize }: Pick<EvaluateConfig, 'mode' | 'quantize'>,
  id: string,
  into?: Float32Array,
): MapData {
  const { height, width } = label;
  if (mode === 'atrc') {
    if (prediction.height === height && prediction.width === width) return prediction;
    throw new MtcpError(
      'config',
      `evaluate.mode atrc compares without resizing, but the label of ${task.name} is ${height}x${width} and the prediction ${prediction.height}x${prediction.width}`,
      {
        where: id,
        hint: `set augment.size to [${height}, ${width}], or use evaluate.mode: sv`,
      },
    );
  }
  const { resampling, bytes } = kindOf(task);
  if (!quantize || !bytes) return resize(prediction, height, width, resampling);
  if (prediction.height === height && prediction.width === width)
    return { ...prediction, data: rounded(prediction.data, bytes, into) };
  const image = { ...prediction, data: encoded(prediction.data, bytes) };
  const resized = resize(image, height, width, resampling);
  return { ...resized, data: decode(resized.data as Float32Array, bytes) };
}

/**
 * The scores of a predictor that says the same everywhere: what a model has to beat.
 * @param constant what it says of each task, null where the training split does not tell
 * @param threads that metrics may use, each
 */
export async function scoreConstant(
  batches: AsyncIterable<EvaluationBatch>,
  tasks: readonly Task[],
  metrics: Record<string, Metric>,
  constant: Record<string, readonly number[] | null>,
  threads = 1,
): Promise<Measured> {
  const runs = started(tasks, metrics, threads);
  try {
    for await (const { raw } of batches)
      for (const { id, labels } of raw)
        for (const { task, run } of runs) {
          const value = constant[task.name];
          if (!value) continue;
          const label = labels[task.name];
          const channels = kindOf(task).labelChannels(task);
          const data = new Float32Array(label.height * label.width * channels);
          for (let i = 0; i < data.length; i++) data[i] = value[i % channels];
          await run.update({ height: label.height, width: label.width, channels, data }, label, id);
        }
    const unknown = { absent: 'no pixel of the training split has a known label' };
    const results = await computed(runs);
    return measured(
      results.map(([task, values]) => [
        task,
        constant[task] !== null
          ? values
          : Object.fromEntries(Object.keys(values).map((name) => [name, unknown])),
      ]),
    );
  } finally {
    await closeAll(metrics);
  }
}
