// Computes the numbers of a table from the results of trials: one line for each row, over its seeds. A value that a
// trial does not have (see MetricValues) is excluded from means, is never the best, and leaves delta-m undefined.
import type { MetricInfo } from '../../registry/contracts/learning.js';
import { own } from '../../registry/own.js';
import type { Experiment } from '../config/index.js';
import type { TrialResult, TrialState } from '../store/ledger/run-folder.js';
import { groupsOf, type Group } from './conditions.js';
import type { RowResult } from './row-result.js';
import { deltaM, spreadOf, type Score, type Spread } from './statistics.js';

/** One metric of a row. */
export interface RowScore {
  /** Over the seeds that have a value; undefined if none has. */
  spread: Spread | undefined;
  bySeed: ReadonlyMap<number, number>;
  /** Seeds that are done and have no value, and why. */
  absent: ReadonlyMap<number, string>;
}

export interface MeasuredRow {
  name: string;
  states: TrialState[];
  /** Rows under the same conditions. */
  group: Group;
  done: readonly TrialResult[];
  /** Task to its primary metric, for tasks that a trial was scored in. */
  scores: Map<string, RowScore>;
  delta?: number;
  /** Of delta-m over seeds, each against the baselines of the same seed. */
  deltaDeviation?: number;
  /** Why a row with all tasks of the baselines has no delta-m. */
  deltaAbsent?: string;
  /** What to know about delta-m: its baselines were trained under other conditions. */
  deltaNote?: string;
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

export const keyOf = (task: string, { name }: Pick<MetricInfo, 'name'>): string => `${task}.${name}`;

export function measure(experiment: Experiment, rows: readonly RowResult[], primary: Primary): MeasuredRow[] {
  const names = [...new Set(rows.map(({ trial }) => trial.row))];
  const groups = groupsOf(rows);
  const measured = names.map((name) => {
    const own = rows.filter(({ trial }) => trial.row === name);
    return measureRow(
      name,
      own,
      groups.find((group) => group.rows.includes(name))!,
      primary,
    );
  });
  const baselines = Object.entries(experiment.report.delta_m ?? {});
  if (baselines.length > 0)
    for (const row of measured) Object.assign(row, gain(row, measured, baselines, primary));
  return measured;
}

/** A row's name for legends: with its letter where rows are under different conditions. */
export function labelled(measured: readonly MeasuredRow[]): (row: string) => string {
  const groups = new Map(measured.map(({ name, group }) => [name, group]));
  const several = new Set(groups.values()).size > 1;
  return (row) => (several && groups.has(row) ? `${row} (${groups.get(row)!.letter})` : row);
}

/** A metric of a row, over its finished trials; undefined if none was scored in the task. */
export function scoreOf(done: readonly TrialResult[], key: string): RowScore | undefined {
  const scored = done.filter(({ metrics }) => Object.hasOwn(metrics, key));
  if (scored.length === 0) return undefined;
  const bySeed = new Map<number, number>();
  const absent = new Map<number, string>();
  for (const { seed, metrics, absent: reasons } of scored) {
    const value = metrics[key];
    if (typeof value === 'number') bySeed.set(seed, value);
    else absent.set(seed, own(reasons, key) ?? 'its result does not say why');
  }
  return { spread: bySeed.size > 0 ? spreadOf([...bySeed.values()]) : undefined, bySeed, absent };
}

function measureRow(name: string, own: readonly RowResult[], group: Group, primary: Primary): MeasuredRow {
  const done = own.flatMap(({ result }) => result ?? []);
  const scores = new Map<string, RowScore>();
  for (const [task, info] of primary) {
    const score = scoreOf(done, keyOf(task, info));
    if (score) scores.set(task, score);
  }
  const memory = done.flatMap((result) => result.memory ?? []);
  return {
    name,
    states: own.map(({ state }) => state),
    group,
    done,
    scores,
    seconds: done.length > 0 ? spreadOf(done.map(({ seconds }) => seconds)).mean : undefined,
    secondsPerStep: done[0] && done[0].seconds / done[0].steps,
    parameters: done[0]?.parameters,
    flops: done[0]?.flops || undefined,
    memory: memory.length > 0 ? Math.max(...memory) : undefined,
  };
}

type Gain = Pick<MeasuredRow, 'delta' | 'deltaDeviation' | 'deltaAbsent' | 'deltaNote'>;

/** Delta-m of a row; nothing if it lacks a task of the baselines, or a baseline is not done. */
function gain(
  row: MeasuredRow,
  measured: readonly MeasuredRow[],
  baselines: readonly (readonly [task: string, row: string])[],
  primary: Primary,
): Gain {
  const pairs = baselines.flatMap(([task, name]) => {
    const baseline = measured.find((other) => other.name === name);
    const [ours, theirs] = [row.scores.get(task), baseline?.scores.get(task)];
    const better = primary.get(task)?.better ?? 'higher';
    return baseline && ours && theirs ? [{ task, baseline, ours, theirs, better }] : [];
  });
  if (pairs.length < baselines.length) return {};
  for (const { task, baseline, ours, theirs } of pairs) {
    const key = keyOf(task, primary.get(task) ?? { name: '' });
    if (baseline.group.scoring !== row.group.scoring)
      return { deltaAbsent: `${baseline.name} was scored under other conditions (${baseline.group.letter})` };
    for (const [name, score] of [
      [row.name, ours],
      [baseline.name, theirs],
    ] as const)
      if (!score.spread) return { deltaAbsent: `${key} of ${name}: ${reasonsOf(score)}` };
    if (theirs.spread!.mean === 0)
      return { deltaAbsent: `${key} of ${baseline.name} is 0, and nothing is relative to it` };
  }
  const scores = pairs.map(({ ours, better }): Score => ({ value: ours.spread!.mean, better }));
  const others = [...new Set(pairs.map(({ baseline }) => baseline.group))].filter(
    (group) => group !== row.group,
  );
  return {
    delta: deltaM(
      scores,
      pairs.map(({ theirs }) => theirs.spread!.mean),
    ),
    deltaDeviation: deltaDeviation(pairs),
    ...(others.length > 0 && {
      deltaNote: `delta-m against baselines trained under other conditions (${others.map(({ letter }) => letter).join(', ')})`,
    }),
  };
}

function deltaDeviation(
  pairs: readonly { ours: RowScore; theirs: RowScore; better: Score['better'] }[],
): number | undefined {
  const seeds = [...pairs[0].ours.bySeed.keys()].filter((seed) =>
    pairs.every(({ ours, theirs }) => ours.bySeed.has(seed) && theirs.bySeed.has(seed)),
  );
  const deltas = seeds.flatMap(
    (seed) =>
      deltaM(
        pairs.map(({ ours, better }) => ({ value: ours.bySeed.get(seed)!, better })),
        pairs.map(({ theirs }) => theirs.bySeed.get(seed)!),
      ) ?? [],
  );
  return deltas.length > 1 ? spreadOf(deltas).deviation : undefined;
}

/** Why a score has no value, each reason once. */
export const reasonsOf = ({ absent }: RowScore): string => [...new Set(absent.values())].join('; ');

/** How a number stands among those that it can be compared with. */
export type Standing = 'best' | 'second' | undefined;

/**
 * Whether the row has the best or the second best mean of a metric among rows of its group; a single number is
 * neither, and of two there is no second. What differs from the best by less than `noise` is the best as well.
 */
export function standingOf(
  row: MeasuredRow,
  key: string,
  better: MetricInfo['better'],
  all: readonly MeasuredRow[],
  noise = 0,
): Standing {
  const own = scoreOf(row.done, key)?.spread?.mean;
  const means = all.flatMap(({ group, done }) =>
    group === row.group ? (scoreOf(done, key)?.spread?.mean ?? []) : [],
  );
  if (own === undefined || means.length < 2) return undefined;
  const sign = better === 'higher' ? 1 : -1;
  const ranked = [...new Set(means)].sort((a, b) => sign * (b - a));
  // Where all are the same none is the best.
  if (ranked.length === 1) return undefined;
  const behind = ranked.filter((mean) => Math.abs(mean - ranked[0]) > noise);
  // Nor where none is told from another.
  if (noise > 0 && behind.length === 0) return undefined;
  if (own === ranked[0] || !behind.includes(own)) return 'best';
  return means.length > 2 && own === ranked[1] ? 'second' : undefined;
}
