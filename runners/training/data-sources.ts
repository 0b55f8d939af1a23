// Prepares each data set of an experiment's trials once, scores the constant predictor on the first one, and counts the
// classes of those whose losses weigh classes.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { DatasetInfo } from '../../registry/contracts/data.js';
import type { Measured } from '../../registry/contracts/learning.js';
import { messageOf, MtcpError } from '../../registry/errors.js';
import type { ClassCounts } from '../../registry/contracts/tasks.js';
import { JsonFormat, NUMBERS, TEXTS, type FileSchema } from '../../registry/support/json-file.js';
import { threadsOf, type TrialSpec } from '../config/index.js';
import { countClasses, splitStatistics } from '../data/statistics.js';
import { writeWhole } from '../support/files.js';
import type { TrialResult } from '../store/ledger/run-folder.js';
import { scoreConstant } from './evaluation.js';
import { loaderOf } from '../model/loader.js';
import { assembled, tasksOf } from '../model/assemble.js';
import { tasksToCount } from '../model/class-counts.js';
import { judgedSplit } from '../model/selection.js';
import { Interrupted } from './interrupted.js';

export type DataEvent =
  | { event: 'preparing'; what: string; done: number; total: number }
  | { event: 'warning'; message: string }
  | { event: 'data'; caption: string; root: string; counts: Record<string, number>; notes: string[] };

export interface DataSourcesOptions {
  /** False where there is no table to compare the constant predictor with. */
  constant?: boolean;
  stopRequested?(): boolean;
}

export class DataSources {
  /** Of the first data set: the one the table is about. */
  constant: Measured = { metrics: {} };
  readonly #known = new Map<string, DatasetInfo>();

  constructor(
    readonly folder: string,
    readonly observe: (event: DataEvent) => void,
    readonly options: DataSourcesOptions = {},
  ) {}

  /**
   * Every data set that one of the trials names.
   * @throws Interrupted if it was asked to stop while data were made or read; nothing half made is left
   */
  async prepare(trials: readonly TrialSpec[]): Promise<void> {
    for (const trial of trials)
      if (!this.#known.has(keyOf(trial)))
        await this.#prepare(widestOf(trials.filter((other) => keyOf(other) === keyOf(trial))));
  }

  about(trial: TrialSpec): DatasetInfo {
    const info = this.#known.get(keyOf(trial));
    if (!info) throw new Error('prepare() comes before the first trial');
    return info;
  }

  /**
   * How often classes occur in the images that the trial trains on, for tasks whose losses weigh classes. Counted once
   * for each state of the data and kept beside the runs.
   * @throws MtcpError `data` if the data cannot be read
   */
  async classCounts(trial: TrialSpec): Promise<Record<string, ClassCounts>> {
    const parts = assembled(trial);
    const tasks = tasksToCount(parts);
    if (tasks.length === 0) return {};
    const { scheme } = parts.criterion;
    const path = countsFile(this.folder, trial, {
      digest: this.about(trial).digest,
      tasks: tasks.map(({ name }) => name),
      heldOut: judgedSplit(trial.config, scheme) === 'held-out' ? trial.config.evaluate.selection.share : 0,
    });
    const stored = this.#stored(COUNTS, path);
    if (stored) return stored;
    const loader = loaderOf(trial, { tasks, scheme });
    try {
      await loader.prepare(() => {});
      const counts = await countClasses(loader.evaluate('train', trial.config.evaluate.batch), tasks);
      writeWhole(path, `${JSON.stringify(counts, null, 2)}\n`);
      return counts;
    } finally {
      await loader.close();
    }
  }

  /** Undefined if there is no such file, or if it is damaged, which is told. */
  #stored<T>(format: JsonFormat<T>, path: string): T | undefined {
    return readStored(format, path, (message) =>
      this.observe({ event: 'warning', message: `${message}; it is computed again` }),
    );
  }

  async #prepare(widest: TrialSpec): Promise<void> {
    const tasks = tasksOf(widest);
    const loader = loaderOf(widest, { tasks });
    try {
      const info = await loader.prepare((done, total, what) => {
        if (this.options.stopRequested?.()) throw new Interrupted();
        this.observe({ event: 'preparing', what, done, total });
      });
      this.observe({
        event: 'data',
        caption: info.caption,
        root: info.root,
        counts: info.counts,
        notes: info.notes,
      });
      for (const message of info.warnings ?? []) this.observe({ event: 'warning', message });
      const first = this.#known.size === 0;
      this.#known.set(keyOf(widest), info);
      if (first && this.options.constant !== false) await this.#compareWithConstant(widest, info, loader);
    } finally {
      await loader.close();
    }
  }

  /** Data that cannot be read are no use for training either; anything else costs only the comparison. */
  async #compareWithConstant(
    trial: TrialSpec,
    info: DatasetInfo,
    loader: ReturnType<typeof loaderOf>,
  ): Promise<void> {
    try {
      this.constant = await this.#constant(trial, info, loader);
    } catch (error) {
      if (MtcpError.is(error, 'data')) throw error;
      this.observe({ event: 'warning', message: `no constant predictor: ${messageOf(error)}` });
    }
  }

  /** Computed once for each state of the data and kept beside the runs. */
  async #constant(
    trial: TrialSpec,
    info: DatasetInfo,
    loader: ReturnType<typeof loaderOf>,
  ): Promise<Measured> {
    const path = constantFile(this.folder, trial, info.digest);
    const stored = this.#stored(CONSTANT, path);
    if (stored) return stored;
    const { tasks, metrics } = assembled(trial);
    const { batch } = trial.config.evaluate;
    const constant = await splitStatistics(loader.evaluate('train', batch), tasks);
    const threads = threadsOf(trial.config);
    const scores = await scoreConstant(loader.evaluate('val', batch), tasks, metrics, constant, threads);
    writeWhole(path, `${JSON.stringify(scores, null, 2)}\n`);
    return scores;
  }
}

/** Raised when what is kept of a constant predictor reads otherwise than before. */
const FORMAT = 2;

function constantFile(folder: string, { config }: TrialSpec, digest: string): string {
  const identity = JSON.stringify([FORMAT, digest, config.tasks, config.augment, config.evaluate.mode]);
  return join(folder, `constant-${createHash('sha256').update(identity).digest('hex').slice(0, 8)}.json`);
}

function countsFile(
  folder: string,
  { config: { data } }: TrialSpec,
  of: { digest: string; tasks: readonly string[]; heldOut: number },
): string {
  const identity = JSON.stringify([1, data, of]);
  return join(folder, `classes-${createHash('sha256').update(identity).digest('hex').slice(0, 8)}.json`);
}

const CONSTANT = new JsonFormat<Measured>('the scores of the constant predictor', {
  type: 'object',
  required: ['metrics'],
  properties: { metrics: NUMBERS, absent: TEXTS },
});

const AMOUNTS: FileSchema = { type: 'array', items: { type: 'integer', minimum: 0 } };

const COUNTS = new JsonFormat<Record<string, ClassCounts>>('counts of classes', {
  type: 'object',
  additionalProperties: {
    type: 'object',
    required: ['pixels', 'inImages'],
    properties: { pixels: AMOUNTS, inImages: AMOUNTS },
  },
});

/** Undefined if there is no such file, or if it is damaged, which `warn` hears. */
function readStored<T>(format: JsonFormat<T>, path: string, warn: (message: string) => void): T | undefined {
  try {
    return format.find(path);
  } catch (error) {
    if (!MtcpError.is(error)) throw error;
    warn(`${path} ${error.message}`);
    return undefined;
  }
}

/**
 * What a run has computed of it before; empty if none has.
 * @param warn hears of a file that is damaged
 */
export function storedConstant(
  folder: string,
  rows: readonly { trial: TrialSpec; result?: TrialResult }[],
  warn: (message: string) => void,
): Measured {
  const first = rows[0].trial;
  const same = rows.filter(({ trial }) => keyOf(trial) === keyOf(first));
  const digest = same.find(({ result }) => result)?.result?.data.digest;
  if (digest === undefined) return { metrics: {} };
  const path = constantFile(folder, widestOf(same.map(({ trial }) => trial)), digest);
  return readStored(CONSTANT, path, warn) ?? { metrics: {} };
}

const keyOf = ({ config }: TrialSpec): string => JSON.stringify(config.data);

/** The trial with the most tasks. */
function widestOf(trials: readonly TrialSpec[]): TrialSpec {
  return trials.reduce((best, trial) =>
    Object.keys(trial.config.tasks).length > Object.keys(best.config.tasks).length ? trial : best,
  );
}
