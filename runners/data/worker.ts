// The script of a loader thread. It imports the files of the data set and the transform, nothing else of
// modules/, so that starting a thread costs milliseconds and no TensorFlow.js.
import { pathToFileURL } from 'node:url';
import { workerData } from 'node:worker_threads';
import { serve } from '../../modules/support/threads.js';
import { markInvalid } from '../../modules/transforms/machinery/ignore.js';
import { createTrialContainer, type Slot } from '../../registry/container.js';
import type { Sample } from '../../registry/contracts/data.js';
import type { Task } from '../../registry/contracts/tasks.js';
import { randomStream } from '../../registry/random.js';
import { stackImages, stackLabels, type EvaluationBatch, type TrainBatch } from './batch.js';
import { ownBuffers, sampleBytes, shareSample } from './cache.js';

export interface WorkerSetup {
  /** Files that announce the two components; plugins are compiled first. */
  files: readonly { file: string; plugin: boolean }[];
  dataset: Slot;
  transform: Slot;
  tasks: readonly Task[];
  seed: number;
}

interface Request {
  ids: readonly string[];
  /** Samples that are in the cache already. */
  cached: readonly Sample[];
  /** Bytes that may be added to the cache. */
  room: number;
}
export type Job = Request & ({ kind: 'train'; epoch: number } | { kind: 'evaluate'; batch: number });

export interface JobResult {
  batch: TrainBatch | EvaluationBatch;
  /** Newly decoded samples, in shared memory. */
  decoded: readonly Sample[];
}

const setup = workerData as WorkerSetup;
for (const { file, plugin } of setup.files)
  if (plugin) (await import('../config/load-plugin.js')).loadPlugin(file);
  else await import(pathToFileURL(file).href);
const components = createTrialContainer(setup.tasks);
const dataset = components.create('dataset', setup.dataset);
const transform = components.create('transform', setup.transform);
const wanted = setup.tasks.map((task) => task.name);
const extra = (transform.needs ?? []).filter((name) => dataset.tasks.some((task) => task.name === name));
/** Labels to read: training may look at more than it is scored on. */
const names = [...new Set([...wanted, ...extra])];

serve<Job, JobResult>(async (job) => {
  const { samples, decoded } = await decode(job);
  if (job.kind === 'train') {
    const batch = trainBatch(samples, job.epoch);
    const transfer = [batch.image.buffer, ...Object.values(batch.labels).map((label) => label.buffer)];
    return { result: { batch, decoded }, transfer: transfer as ArrayBuffer[] };
  }
  const batch = evaluationBatch(samples, job.batch);
  const transfer = [batch.image.buffer as ArrayBuffer, ...batch.raw.flatMap(ownBuffers)];
  return { result: { batch, decoded }, transfer };
});

async function decode({ ids, cached, room }: Request): Promise<{ samples: Sample[]; decoded: Sample[] }> {
  const known = new Map(cached.map((sample) => [sample.id, sample]));
  const samples: Sample[] = [];
  const decoded: Sample[] = [];
  let left = room;
  for (const id of ids) {
    let sample = known.get(id) ?? (await dataset.load(id, names));
    const bytes = sampleBytes(sample);
    if (!known.has(id) && bytes <= left) {
      sample = shareSample(sample);
      decoded.push(sample);
      left -= bytes;
    }
    samples.push(sample);
  }
  return { samples, decoded };
}

function trainBatch(samples: readonly Sample[], epoch: number): TrainBatch {
  const augmented = samples.map((sample) =>
    transform.train(sample, randomStream(setup.seed, 'augment', epoch, sample.id)),
  );
  return {
    ids: samples.map((sample) => sample.id),
    image: stackImages(augmented, augmented.length),
    labels: Object.fromEntries(setup.tasks.map((task) => [task.name, stackLabels(augmented, task)])),
  };
}

function evaluationBatch(samples: readonly Sample[], size: number): EvaluationBatch {
  const images = samples.map(({ id, image }) => transform.evaluate({ id, image, labels: {} }));
  return {
    ids: samples.map((sample) => sample.id),
    count: samples.length,
    image: stackImages(images, size),
    raw: samples.map((sample) => ({ ...sample, labels: markInvalid(sample.labels) })),
  };
}
