// Makes batches: decodes, augments and stacks samples. It runs in a worker thread (worker.ts) or in the main thread.
// It imports nothing of modules/, so that starting a thread takes milliseconds.
import type { Served } from '../../modules/support/threads.js';
import { markInvalid } from '../../modules/transforms/machinery/ignore.js';
import { createTrialContainer, type Slot } from '../../registry/container.js';
import type { Dataset, Sample, Transform } from '../../registry/contracts/data.js';
import type { Task } from '../../registry/contracts/tasks.js';
import { randomStream } from '../../registry/random.js';
import { stackImages, type EvaluationBatch, type TrainBatch } from './batch.js';
import { ownBuffers, sampleBytes, shareSample } from './cache.js';
import { requireSample } from './returned.js';
import { TrainMemory } from './train-memory.js';

export interface BatchSetup {
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
/** `memory`: of a batch that is not needed any more. */
export type Job = Request &
  ({ kind: 'train'; epoch: number; memory?: SharedArrayBuffer } | { kind: 'evaluate'; batch: number });

export interface JobResult {
  batch: TrainBatch | EvaluationBatch;
  /** Newly decoded samples, in shared memory. */
  decoded: readonly Sample[];
}

export class BatchMaker {
  readonly #dataset: Dataset;
  readonly #transform: Transform;
  /** Labels to read: training may look at more than it is scored on. */
  readonly #names: readonly string[];

  /** @param setup its components are in the catalog */
  constructor(readonly setup: BatchSetup) {
    const components = createTrialContainer(setup.tasks);
    this.#dataset = components.create('dataset', setup.dataset);
    this.#transform = components.create('transform', setup.transform);
    const known = new Set(this.#dataset.tasks.map((task) => task.name));
    const extra = (this.#transform.needs ?? []).filter((name) => known.has(name));
    this.#names = [...new Set([...setup.tasks.map((task) => task.name), ...extra])];
  }

  async make(job: Job): Promise<Served<JobResult>> {
    const { samples, decoded } = await this.#decode(job);
    if (job.kind === 'train')
      return { result: { batch: this.#train(samples, job.epoch, job.memory), decoded } };
    const batch = this.#evaluate(samples, job.batch);
    const transfer = [batch.image.buffer as ArrayBuffer, ...batch.raw.flatMap(ownBuffers)];
    return { result: { batch, decoded }, transfer };
  }

  async #decode({ ids, cached, room }: Request): Promise<{ samples: Sample[]; decoded: Sample[] }> {
    const known = new Map(cached.map((sample) => [sample.id, sample]));
    const samples: Sample[] = [];
    const decoded: Sample[] = [];
    let left = room;
    for (const id of ids) {
      let sample = known.get(id) ?? (await this.#load(id));
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

  async #load(id: string): Promise<Sample> {
    const sample = await this.#dataset.load(id, this.#names);
    requireSample(`load of data set "${this.setup.dataset.type}"`, id, sample, this.setup.tasks);
    return sample;
  }

  #train(samples: readonly Sample[], epoch: number, given?: SharedArrayBuffer): TrainBatch {
    const { seed, tasks } = this.setup;
    const who = `train of transform "${this.setup.transform.type}"`;
    const memory = new TrainMemory(samples, tasks, this.#transform.size, given);
    for (const [i, sample] of samples.entries()) {
      const into = memory.sample(i);
      const made = this.#transform.train(sample, randomStream(seed, 'augment', epoch, sample.id), into);
      requireSample(who, sample.id, made, tasks, this.#transform.size);
      memory.keep(into, made);
    }
    return memory.batch();
  }

  #evaluate(samples: readonly Sample[], size: number): EvaluationBatch {
    const who = `evaluate of transform "${this.setup.transform.type}"`;
    const images = samples.map(({ id, image }) => {
      const made = this.#transform.evaluate({ id, image, labels: {} });
      requireSample(who, id, made, [], this.#transform.size);
      return made;
    });
    return {
      ids: samples.map((sample) => sample.id),
      count: samples.length,
      image: stackImages(images, size),
      raw: samples.map((sample) => ({ ...sample, labels: markInvalid(sample.labels) })),
    };
  }
}
