// Runs an experiment: every trial that is not done yet, one after the other, and then the table. A trial that
// fails does not stop the others; a trial that was interrupted goes on where it was.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join, resolve } from 'node:path';
import '../modules/index.js';
import { catalog } from '../registry/catalog.js';
import type { DatasetInfo } from '../registry/contracts/data.js';
import type { MetricInfo } from '../registry/contracts/learning.js';
import { MtcpError } from '../registry/errors.js';
import type { PropertySchema } from '../registry/options.js';
import { loadExperiment, type Experiment, type LoadOptions, type Trial } from './config/index.js';
import { splitStatistics } from './data/statistics.js';
import { createEngine } from './engine/index.js';
import type { Engine } from './engine/engine.js';
import { writeWhole } from './ledger/files.js';
import { RunFolder, type TrialState } from './ledger/run-folder.js';
import { buildReport, type Report, type RowResult } from './reporting/report.js';
import { scoreConstant } from './training/evaluation.js';
import { loaderOf, partsOf, primaryOf, tasksOf, threadsOf } from './training/parts.js';
import { Interrupted, runTrial, type Observed } from './training/trial.js';

export interface RunOptions extends LoadOptions {
  /** Folder of all runs. */
  runs: string;
  /** Where the data set lies: the value of its first path option. */
  data?: string;
  observe?(event: RunEvent): void;
  stopRequested?(): boolean;
}

export type RunEvent =
  | {
      event: 'experiment';
      name: string;
      title: string;
      profile: string | null;
      trials: { row: string; seed: number; state: TrialState }[];
    }
  | { event: 'preparing'; what: string; done: number; total: number }
  | { event: 'data'; caption: string; root: string; counts: Record<string, number>; notes: string[] }
  | {
      event: 'trial';
      row: string;
      seed: number;
      index: number;
      of: number;
      state: TrialState;
      folder: string;
    }
  | ({ row: string; seed: number } & Observed);

export interface RunOutcome {
  report: Report;
  /** Folder of the experiment's runs and report. */
  folder: string;
  failed: { row: string; seed: number; message: string }[];
  interrupted: boolean;
}

/** Loads an experiment with `data` filled in. */
export function openExperiment(
  file: string,
  { data, ...options }: LoadOptions & { data?: string },
): Experiment {
  const experiment = loadExperiment(file, options);
  if (data !== undefined) for (const trial of experiment.trials) pointToData(trial, data);
  return experiment;
}

/** `--data` is whatever path the data set asks for first; where data lie is not part of a trial's identity. */
function pointToData({ config }: Trial, path: string): void {
  const { properties } = catalog.get('dataset', config.data.type).options;
  const option = Object.entries(properties).find(([, schema]) => isPath(schema))?.[0];
  if (!option)
    throw new MtcpError('usage', `data set "${config.data.type}" has no path to set`, {
      where: `argument "--data ${path}"`,
    });
  config.data[option] = resolve(path);
}

const isPath = ({ format, anyOf }: PropertySchema): boolean =>
  format === 'path' || (anyOf ?? []).some(isPath);

export async function runExperiment(file: string, options: RunOptions): Promise<RunOutcome> {
  const observe = options.observe ?? (() => {});
  const stopRequested = options.stopRequested ?? (() => false);
  const experiment = openExperiment(file, options);
  const folders = experiment.trials.map((trial) => new RunFolder(options.runs, trial));
  const folder = join(options.runs, experiment.name);
  const { name, title, profile, trials } = experiment;
  observe({
    event: 'experiment',
    name,
    title,
    profile,
    trials: trials.map(({ row, seed }, i) => ({ row, seed, state: folders[i].state() })),
  });
  // Everything that can be wrong with a trial's components is wrong before the first one is trained.
  for (const trial of trials) partsOf(trial);

  const sources = new DataSources(folder, observe);
  const engines = new Engines();
  const failed: RunOutcome['failed'] = [];
  let interrupted = false;
  try {
    for (const [i, trial] of trials.entries()) {
      const { row, seed } = trial;
      const source = await sources.of(trial, trials);
      setAsideIfStale(folders[i], source.info);
      const state = folders[i].state();
      observe({ event: 'trial', row, seed, index: i + 1, of: trials.length, state, folder: folders[i].path });
      if (state === 'done') continue;
      try {
        const engine = await engines.of(trial);
        await runTrial(trial, {
          engine,
          folder: folders[i],
          data: source.info,
          stopRequested,
          observe: (event) => observe({ row, seed, ...event }),
        });
      } catch (error) {
        if (error instanceof Interrupted) {
          interrupted = true;
          break;
        }
        failed.push({
          row,
          seed,
          message: MtcpError.is(error) ? error.format() : String((error as Error).stack ?? error),
        });
      }
    }
  } finally {
    engines.close();
  }
  const rows = trials.map((trial, i): RowResult => ({
    trial,
    state: folders[i].state(),
    folder: folders[i].path,
    result: folders[i].result(),
  }));
  const report = buildReport(experiment, rows, sources.constant, primaryMetrics(trials));
  writeWhole(join(folder, 'report.md'), report.markdown);
  writeWhole(join(folder, 'report.json'), `${JSON.stringify(report.json, null, 2)}\n`);
  return { report, folder, failed, interrupted };
}

/** `task` -> its primary metric, over all trials. */
export function primaryMetrics(trials: readonly Trial[]): Map<string, MetricInfo> {
  const metrics = new Map<string, MetricInfo>();
  for (const trial of trials)
    for (const [task, metric] of Object.entries(partsOf(trial).metrics)) metrics.set(task, primaryOf(metric));
  return metrics;
}

/** A finished trial of other data than today's is not this trial: its folder gets another name. */
function setAsideIfStale(folder: RunFolder, { digest }: DatasetInfo): void {
  const old = folder.result()?.data.digest;
  if (old !== undefined && old !== digest) renameSync(folder.path, `${folder.path}-data-${old}`);
}

/** Prepares each data set once, and scores the predictor that ignores the image on it. */
class DataSources {
  /** Of the first data set: the one the table is about. */
  constant: Record<string, number> = {};
  readonly #known = new Map<string, { info: DatasetInfo }>();

  constructor(
    readonly folder: string,
    readonly observe: (event: RunEvent) => void,
  ) {}

  async of(trial: Trial, all: readonly Trial[]): Promise<{ info: DatasetInfo }> {
    const key = JSON.stringify(trial.config.data);
    const known = this.#known.get(key);
    if (known) return known;
    const widest = widestOf(all.filter((other) => JSON.stringify(other.config.data) === key));
    const tasks = tasksOf(widest);
    const loader = loaderOf(widest, tasks);
    try {
      const info = await loader.prepare((done, total, what) =>
        this.observe({ event: 'preparing', what, done, total }),
      );
      this.observe({
        event: 'data',
        caption: info.caption,
        root: info.root,
        counts: info.counts,
        notes: info.notes,
      });
      const first = this.#known.size === 0;
      this.#known.set(key, { info });
      if (first) this.constant = await this.#constant(widest, info, loader);
      return { info };
    } finally {
      await loader.close();
    }
  }

  /** Computed once for each state of the data and kept beside the runs. */
  async #constant(
    trial: Trial,
    info: DatasetInfo,
    loader: ReturnType<typeof loaderOf>,
  ): Promise<Record<string, number>> {
    const { tasks, metrics } = partsOf(trial);
    const identity = JSON.stringify([info.digest, trial.config.tasks, trial.config.evaluate.mode]);
    const path = join(
      this.folder,
      `constant-${createHash('sha256').update(identity).digest('hex').slice(0, 8)}.json`,
    );
    if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as Record<string, number>;
    const { batch } = trial.config.evaluate;
    const constant = await splitStatistics(loader.evaluate('train', batch), tasks);
    const scores = await scoreConstant(loader.evaluate('val', batch), tasks, metrics, constant);
    writeWhole(path, `${JSON.stringify(scores, null, 2)}\n`);
    return scores;
  }
}

/** The trial with the most tasks. */
function widestOf(trials: readonly Trial[]): Trial {
  return trials.reduce((best, trial) =>
    Object.keys(trial.config.tasks).length > Object.keys(best.config.tasks).length ? trial : best,
  );
}

/** One engine for each choice, shared by the trials. */
class Engines {
  readonly #known = new Map<string, Engine>();

  async of(trial: Trial): Promise<Engine> {
    const key = JSON.stringify([trial.config.engine, threadsOf(trial)]);
    let engine = this.#known.get(key);
    if (!engine) this.#known.set(key, (engine = await createEngine(trial.config.engine, threadsOf(trial))));
    return engine;
  }

  close(): void {
    for (const engine of this.#known.values()) engine.close();
  }
}
