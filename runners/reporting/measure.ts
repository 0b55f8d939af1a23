// From results of trials to the numbers of a table: one line for each row of the experiment, over its seeds.
import type { MetricInfo } from '../../registry/contracts/learning.js';
import type { Experiment, TrialSpec } from '../config/index.js';
import type { TrialResult, TrialState } from '../store/ledger/run-folder.js';
import { deltaM, spreadOf, type Spread } from './statistics.js';

/** What became of a trial. */
export interface RowResult {
  trial: TrialSpec;
  state: TrialState;
  folder: string;
  result?: TrialResult;
  /** What of its files cannot be read. */
  damaged?: readonly string[];
}

export interface MeasuredRow {
  name: string;
  states: TrialState[];
  /** Task to its primary metric. */
  metrics: Map<string, Spread>;
  /** Task to its primary metric by seed. */
  bySeed: Map<string, Map<number, number>>;
  delta?: number;
  /** Of delta-m over seeds, each against the baselines of the same seed. */
  deltaDeviation?: number;
  /** Mean over seeds. */
  seconds?: number;
  /** Seconds of a training step, loading included. */
  secondsPerStep?: number;
  parameters?: number;
  flops?: number;
  /** Largest over seeds, bytes. */
  memory?: number;
}

export type Primary = ReadonlyMap<string, MetricInfo>;

export const keyOf = (task: string, { name }: MetricInfo): string => `${task}.${name}`;

export function measure(experiment: Experiment, rows: readonly RowResult[], primary: Primary): MeasuredRow[] {
  const names = [...new Set(rows.map(({ trial }) => trial.row))];
  const measured = names.map((name) => measureRow(name, rows, primary));
  const baselines = Object.entries(experiment.report.delta_m ?? {});
  const single = baselines.map(
    ([task, row]) => measured.find(({ name }) => name === row)?.metrics.get(task)?.mean,
  );
  for (const row of measured) {
    const scores = baselines.map(([task]) => ({
      value: row.metrics.get(task)?.mean,
      better: primary.get(task)?.better ?? 'higher',
    }));
    if (
      baselines.length === 0 ||
      [...single, ...scores.map(({ value }) => value)].some((value) => value === undefined)
    )
      continue;
    row.delta = deltaM(scores as { value: number; better: 'higher' | 'lower' }[], single as number[]);
    row.deltaDeviation = deltaDeviation(row, measured, baselines, primary);
  }
  return measured;
}

function deltaDeviation(
  row: MeasuredRow,
  measured: readonly MeasuredRow[],
  baselines: readonly (readonly [task: string, row: string])[],
  primary: Primary,
): number | undefined {
  const seeds = [...(row.bySeed.get(baselines[0][0])?.keys() ?? [])];
  const deltas = seeds.flatMap((seed) => {
    const scores = baselines.flatMap(([task]) => {
      const value = row.bySeed.get(task)?.get(seed);
      return value === undefined ? [] : [{ value, better: primary.get(task)?.better ?? 'higher' }];
    });
    const single = baselines.flatMap(
      ([task, name]) =>
        measured
          .find((other) => other.name === name)
          ?.bySeed.get(task)
          ?.get(seed) ?? [],
    );
    if (scores.length < baselines.length || single.length < baselines.length) return [];
    return deltaM(scores, single) ?? [];
  });
  return deltas.length > 1 ? spreadOf(deltas).deviation : undefined;
}

function measureRow(name: string, rows: readonly RowResult[], primary: Primary): MeasuredRow {
  const own = rows.filter(({ trial }) => trial.row === name);
  const done = own.flatMap(({ result }) => result ?? []);
  const metrics = new Map<string, Spread>();
  const bySeed = new Map<string, Map<number, number>>();
  for (const [task, info] of primary) {
    const values = new Map(
      done.flatMap(({ seed, metrics: all }) => {
        const value = all[keyOf(task, info)];
        return value === undefined ? [] : [[seed, value] as const];
      }),
    );
    if (values.size === 0) continue;
    bySeed.set(task, values);
    metrics.set(task, spreadOf([...values.values()]));
  }
  const memory = done.flatMap((result) => result.memory ?? []);
  return {
    name,
    states: own.map(({ state }) => state),
    metrics,
    bySeed,
    seconds: done.length > 0 ? spreadOf(done.map(({ seconds }) => seconds)).mean : undefined,
    secondsPerStep: done[0] && done[0].seconds / done[0].steps,
    parameters: done[0]?.parameters,
    flops: done[0]?.flops || undefined,
    memory: memory.length > 0 ? Math.max(...memory) : undefined,
  };
}

/** Whether the row has the best mean of the task; a table with one number has no best. */
export function isBest(
  row: MeasuredRow,
  task: string,
  all: readonly MeasuredRow[],
  primary: Primary,
): boolean {
  const own = row.metrics.get(task)?.mean;
  const means = all.flatMap(({ metrics }) => metrics.get(task)?.mean ?? []);
  if (own === undefined || means.length < 2) return false;
  return own === (primary.get(task)!.better === 'higher' ? Math.max(...means) : Math.min(...means));
}
