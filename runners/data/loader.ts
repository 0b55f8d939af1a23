// Supplies training and evaluation with batches from worker threads. A thread decodes, augments and stacks a batch
// and transfers its buffers. The contents of a batch depend on (seed, epoch, step) only. So they do not depend on the
// number of threads or on interruptions, and training can start at any step at no cost.
import { availableParallelism } from 'node:os';
import { ThreadPool } from '../../modules/support/threads.js';
import { catalog } from '../../registry/catalog.js';
import { createTrialContainer, type Slot } from '../../registry/container.js';
import type { Dataset, DatasetInfo, Sample, Split, Transform } from '../../registry/contracts/data.js';
import type { Task } from '../../registry/contracts/tasks.js';
import type { ComponentEntry } from '../../registry/entry.js';
import { MtcpError } from '../../registry/errors.js';
import { randomStream, shuffle } from '../../registry/random.js';
import type { EvaluationBatch, TrainBatch } from './batch.js';
import { heldOutCount } from './held-out.js';
import { requireIds, requireInfo } from './returned.js';
import { SampleCache } from './cache.js';
import { BatchMaker, type BatchSetup, type Job, type JobResult } from './batch-maker.js';
import { Prefetch } from './prefetch.js';
import type { WorkerSetup } from './worker.js';

/** What may be evaluated: "held-out" is the part of the training split that training does without. */
export type EvaluatedSplit = Split | 'held-out';

export interface LoaderSetup {
  dataset: Slot;
  transform: Slot;
  /** The tasks of the trial; only their labels are read. */
  tasks: readonly Task[];
  /** Samples of a training batch. */
  batch: number;
  seed: number;
  /** Which samples of a training batch are made here, by their places in it; by default all. */
  isOwn?(place: number): boolean;
  /** Part of the training split, at least an image, that is held out; the same whatever the seed. */
  heldOut?: number;
  /** Worker threads, 0: none but the main one; by default one less than there are processors, at least 1 and at most 3. */
  workers?: number;
  /** Memory for decoded samples. */
  cacheBytes?: number;
}

export interface Loader {
  /** Height and width of the images and training labels. */
  readonly size: readonly [number, number];
  /** How evaluation images are fitted into it. */
  readonly fit: Transform['fit'];
  /** Whole batches in the training split; known after `prepare`. */
  readonly stepsPerEpoch: number;
  /** Makes sure the data are there and says what they are. Comes before everything else. */
  prepare(report: (done: number, total: number, what: string) => void): Promise<DatasetInfo>;
  /**
   * The batches of an epoch, shuffled, from step `from` on. With `reuse` the memory of a batch is written to again
   * once the next but one is asked for: one may be fetched while another is worked on.
   */
  train(
    epoch: number,
    options?: { from?: number; reuse?: boolean },
  ): AsyncGenerator<TrainBatch, void, undefined>;
  /** A whole split in the order of its file, `batch` images at a time. */
  evaluate(split: EvaluatedSplit, batch: number): AsyncGenerator<EvaluationBatch, void, undefined>;
  /** Ends the threads. */
  close(): Promise<void>;
}

/** Memory of a batch, without what the cache holds. */
const bytesOf = (batch: JobResult['batch']): number =>
  [batch.image, ...('labels' in batch ? Object.values(batch.labels) : [])].reduce(
    (sum, { byteLength }) => sum + byteLength,
    0,
  );

const DEFAULT_CACHE_BYTES = 512 * 2 ** 20;

export function createLoader(setup: LoaderSetup): Loader {
  return new BatchLoader(setup);
}

/** Who makes the batches. */
interface Pool {
  run(job: Job): Promise<JobResult>;
  close(): Promise<void>;
}

/** @param kinds of the tasks whose labels are read */
function threads(setup: BatchSetup, count: number, kinds: readonly string[]): Pool {
  const entries: ComponentEntry[] = [
    catalog.get('dataset', setup.dataset.type),
    catalog.get('transform', setup.transform.type),
    ...kinds.map((kind) => catalog.get('task', kind)),
  ];
  // A plugin's kind may build on any of mtcp's own, which are small files.
  if (entries.some(({ plugin }) => plugin !== undefined))
    entries.unshift(...catalog.list('task').filter(({ plugin }) => plugin === undefined));
  const files = entries.map(({ file, plugin }) => ({ file: plugin ?? file, plugin: plugin !== undefined }));
  const data: WorkerSetup = { files, ...setup };
  return new ThreadPool(new URL('./worker.js', import.meta.url), count, data);
}

function mainThread(setup: BatchSetup): Pool {
  const maker = new BatchMaker(setup);
  return {
    run: async (job) => (await maker.make(job)).result,
    close: () => Promise.resolve(),
  };
}

class BatchLoader implements Loader {
  readonly size: readonly [number, number];
  readonly fit: Transform['fit'];
  readonly #dataset: Dataset;
  readonly #pool: Pool;
  readonly #cache: SampleCache;
  readonly #ahead: Prefetch;
  /** Memory of batches that are not needed any more. */
  readonly #free: SharedArrayBuffer[] = [];
  #ids: Record<EvaluatedSplit, readonly string[]> | undefined;

  constructor(private readonly setup: LoaderSetup) {
    const { dataset, transform, tasks, seed } = setup;
    const components = createTrialContainer(tasks);
    this.#dataset = components.create('dataset', dataset);
    const { size, fit, needs = [] } = components.create('transform', transform);
    this.size = size;
    this.fit = fit;
    this.#cache = new SampleCache(setup.cacheBytes ?? DEFAULT_CACHE_BYTES);

    const workers = setup.workers ?? Math.max(1, Math.min(4, availableParallelism()) - 1);
    const extra = this.#dataset.tasks.filter(({ name }) => needs.includes(name));
    const kinds = [...new Set([...tasks, ...extra].map(({ kind }) => kind))];
    const forWorkers: BatchSetup = { dataset, transform, tasks, seed };
    this.#pool = workers === 0 ? mainThread(forWorkers) : threads(forWorkers, workers, kinds);
    this.#ahead = new Prefetch(workers);
  }

  async prepare(report: (done: number, total: number, what: string) => void): Promise<DatasetInfo> {
    const who = `data set "${this.setup.dataset.type}"`;
    const info = await this.#dataset.prepare(report);
    requireInfo(who, info);
    const [train, val] = await Promise.all([this.#dataset.ids('train'), this.#dataset.ids('val')]);
    for (const ids of [train, val]) requireIds(who, ids);
    const heldOut = this.#holdOut(train);
    const left = train.filter((id) => !heldOut.has(id));
    this.#ids = { train: left, val, 'held-out': train.filter((id) => heldOut.has(id)) };
    if (val.length === 0)
      throw new MtcpError('data', 'the validation split has no image: there would be nothing to score', {
        where: info.root,
        hint: 'list images of the validation split, or name another folder',
      });
    if (left.length < this.setup.batch)
      throw new MtcpError(
        'data',
        `${left.length} training samples do not fill a batch of ${this.setup.batch}`,
        {
          where: info.root,
          hint: 'use a smaller batch',
        },
      );
    return info;
  }

  #holdOut(train: readonly string[]): Set<string> {
    const count = heldOutCount(this.setup.heldOut ?? 0, train.length);
    return new Set(shuffle([...train], randomStream('held-out')).slice(0, count));
  }

  get stepsPerEpoch(): number {
    return Math.floor(this.#split('train').length / this.setup.batch);
  }

  async *train(epoch: number, { from = 0, reuse = false } = {}): AsyncGenerator<TrainBatch, void, undefined> {
    const { batch, seed, isOwn = () => true } = this.setup;
    const order = shuffle([...this.#split('train')], randomStream(seed, 'order', epoch));
    const steps = this.stepsPerEpoch - from;
    const job = (i: number): Job => ({
      kind: 'train',
      epoch,
      memory: this.#free.pop(),
      ...this.#request(
        order.slice((from + i) * batch, (from + i + 1) * batch).filter((_, place) => isOwn(place)),
      ),
    });
    let before: SharedArrayBuffer | undefined;
    for await (const result of this.#results(steps, job)) {
      const made = result as TrainBatch;
      yield made;
      // Batches of worker threads, and of this one, lie in shared memory (train-memory.ts).
      if (before) this.#free.push(before);
      if (reuse) before = made.image.buffer as unknown as SharedArrayBuffer;
    }
  }

  async *evaluate(split: EvaluatedSplit, batch: number): AsyncGenerator<EvaluationBatch, void, undefined> {
    const ids = this.#split(split);
    const job = (i: number): Job => ({
      kind: 'evaluate',
      batch,
      ...this.#request(ids.slice(i * batch, (i + 1) * batch)),
    });
    for await (const result of this.#results(Math.ceil(ids.length / batch), job))
      yield result as EvaluationBatch;
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  #split(split: EvaluatedSplit): readonly string[] {
    if (!this.#ids) throw new Error('prepare() comes before the first batch');
    return this.#ids[split];
  }

  #request(ids: readonly string[]) {
    const cached = ids.map((id) => this.#cache.get(id)).filter((sample): sample is Sample => !!sample);
    return { ids, cached, room: this.#cache.room };
  }

  /**
   * Results of jobs 0..count-1 in order, with a few jobs running ahead of the one that is asked for (prefetch.ts). When
   * the consumer leaves early those end unseen.
   */
  async *#results(
    count: number,
    job: (i: number) => Job,
  ): AsyncGenerator<JobResult['batch'], void, undefined> {
    const running: Promise<JobResult>[] = [];
    let next = 0;
    for (let i = 0; i < count; i++) {
      for (; next < Math.min(count, i + this.#ahead.batches); next++) {
        const result = this.#pool.run(job(next));
        // A job may fail before its turn comes; it is reported then.
        result.catch(() => undefined);
        this.#ahead.started(result);
        running.push(result);
      }
      const { batch, decoded } = await this.#ahead.next(running.shift()!, ({ batch: made }) => bytesOf(made));
      for (const sample of decoded) this.#cache.add(sample);
      yield batch;
    }
  }
}
