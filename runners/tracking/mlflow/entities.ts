// How the record of a trial reads in MLflow: pure functions from what is in a run folder to metrics, params, tags.
//
//   train/objective, train/loss/<task>, ...   every step
//   epoch/objective, epoch/loss/<task>, ...   means over an epoch
//   val/<task>/<metric>                       every evaluation
//   final/<task>/<metric>                     once: the epoch that is reported
//
// The step of every metric is the optimizer step, so that all of them share an axis.
import { isAbsolute } from 'node:path';
import type { MetricValues } from '../../../registry/contracts/learning.js';
import { isPlainObject } from '../../../registry/options.js';
import { NOT_HASHED } from '../../config/trial.js';
import type { TrialEvent } from '../../store/ledger/events.js';
import type { TrialResult } from '../../store/ledger/run-folder.js';
import type { StepRecord } from '../../store/ledger/steps.js';
import { cleanKey, LIMITS, shorten } from './client/limits.js';
import type { DatasetInput, Metric, Param, Tag } from './client/types.js';

type Numbers = Readonly<Record<string, number | null>>;

export const tag = (key: string, value: string): Tag => ({
  key: shorten(key, LIMITS.key),
  value: shorten(value, LIMITS.tag),
});

/** @param group such as train/loss; the name below it is a task or a metric of a task */
const metrics = (group: string, numbers: Numbers, step: number, timestamp: number): Metric[] =>
  Object.entries(numbers).map(([name, value]) => ({
    key: cleanKey(group === '' ? name : `${group}/${name}`),
    // JSON has no NaN; the record says null.
    value: value ?? NaN,
    step,
    timestamp,
  }));

export function stepMetrics(record: StepRecord): Metric[] {
  const { epoch, step, time, rate, total, raw, projected, weights, cosines } = record;
  return [
    ...metrics('train', { objective: total, rate }, step, time),
    ...metrics('train/loss', raw, step, time),
    ...metrics('train/projected', projected, step, time),
    ...metrics('train/weight', weights, step, time),
    ...metrics('train/cosine', cosines, step, time),
    ...metrics('', { epoch }, step, time),
  ];
}

export function epochMetrics(event: TrialEvent & { event: 'epoch' }, time: number): Metric[] {
  const { step, objective, losses, projected, weights, cosines, seconds, waited, rate } = event;
  return [
    ...metrics('epoch', { objective, seconds, waiting_seconds: waited, rate }, step, time),
    ...metrics('epoch/loss', losses, step, time),
    ...metrics('epoch/projected', projected, step, time),
    ...metrics('epoch/weight', weights, step, time),
    ...metrics('epoch/cosine', cosines, step, time),
  ];
}

/**
 * A metric that has no value is left out: a server would keep NaN as a number, and sort by it.
 * @param values `task.metric`, or `task.metric.class`
 */
export function taskMetrics(group: string, values: MetricValues, step: number, time: number): Metric[] {
  const defined = Object.entries(values).filter(([, value]) => value !== null);
  const named = defined.map(([name, value]) => [
    // The dot in <11.25 separates nothing.
    name.replace(/\.(?!\d)/g, '/'),
    value,
  ]);
  return metrics(group, Object.fromEntries(named) as Numbers, step, time);
}

export function finalMetrics(result: TrialResult, time: number): Metric[] {
  const { metrics: values, steps, seconds, parameters, selected } = result;
  return [
    ...taskMetrics('final', values, steps, time),
    ...metrics('final', { parameters, training_seconds: seconds, epoch: selected.epoch }, steps, time),
  ];
}

/** Names and steps of metrics that are not finite: stores keep them as something else, or not at all. */
export const nonFinite = (all: readonly Metric[]): string[] =>
  all.filter(({ value }) => !Number.isFinite(value)).map(({ key, value, step }) => `${key}=${value}@${step}`);

/** Settings of the trial as params, and those that do not decide its result (paths, threads) as tags. */
export function configEntities(config: Readonly<Record<string, unknown>>): { params: Param[]; tags: Tag[] } {
  const volatile = new Set(NOT_HASHED.map((path) => path.join('.')));
  const params = new Map<string, string>();
  const tags: Tag[] = [];
  const visit = (value: unknown, path: string): void => {
    const entries = isPlainObject(value) ? Object.entries(value) : [];
    if (entries.length > 0)
      return entries.forEach(([key, below]) => visit(below, path ? `${path}.${key}` : key));
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    if (volatile.has(path) || (typeof value === 'string' && isAbsolute(value)))
      tags.push(tag(`mtcp.config.${path}`, text));
    else params.set(cleanKey(path), shorten(text, LIMITS.param));
  };
  visit(config, '');
  return { params: [...params].map(([key, value]) => ({ key, value })), tags };
}

type Started = TrialEvent & { event: 'started' };

/** What people group and filter runs by, under short names. */
export function aboutParams({ row, seed }: Started, config: Readonly<Record<string, unknown>>): Param[] {
  const typeOf = (section: unknown) =>
    isPlainObject(section) && typeof section.type === 'string' ? section.type : undefined;
  const about = { row, seed: String(seed), scheme: typeOf(config.scheme), dataset: typeOf(config.data) };
  return Object.entries(about).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: shorten(value, LIMITS.param) }],
  );
}

/** As much of report.json as the run of an invocation shows. */
export interface TableNumbers {
  rows: readonly { row: string; metrics: MetricValues }[];
  delta_m: Readonly<Record<string, number>>;
  /** Metric to whether more is better. */
  better: Readonly<Record<string, 'higher' | 'lower'>>;
}

/**
 * The numbers of a table as metrics: `best/...` over rows, so that a list of runs has something to sort by, and
 * `table/<row>/...` for each row. Means over seeds.
 */
export function tableMetrics({ rows, delta_m: delta, better }: TableNumbers, time: number): Metric[] {
  const values = new Map<string, Map<string, number>>();
  const put = (row: string, key: string, value: number) =>
    values.set(key, (values.get(key) ?? new Map<string, number>()).set(row, value));
  const names = [...new Set(rows.map(({ row }) => row))];
  for (const key of Object.keys(better))
    for (const row of names) {
      const own = rows.flatMap(({ row: name, metrics: found }) => (name === row ? (found[key] ?? []) : []));
      if (own.length > 0) put(row, key, own.reduce((a, b) => a + b, 0) / own.length);
    }
  for (const [row, value] of Object.entries(delta)) put(row, 'delta_m', value);
  const best = [...values].map(([key, byRow]) => [
    key,
    better[key] === 'lower' ? Math.min(...byRow.values()) : Math.max(...byRow.values()),
  ]);
  return [
    ...taskMetrics('best', Object.fromEntries(best) as MetricValues, 0, time),
    ...names.flatMap((row) => {
      const own = [...values].flatMap(([key, byRow]) => (byRow.has(row) ? [[key, byRow.get(row)!]] : []));
      // A slash in the name of a row would group it with others.
      const group = `table/${row.replaceAll('/', '-')}`;
      return taskMetrics(group, Object.fromEntries(own) as MetricValues, 0, time);
    }),
  ];
}

/** The data of a trial, once for each use. MLflow tells data sets apart by name and digest. */
export function datasetInputs({ data }: Started, config: Readonly<Record<string, unknown>>): DatasetInput[] {
  const slot = isPlainObject(config.data) ? config.data : {};
  const uri = Object.values(slot).find((value) => typeof value === 'string' && isAbsolute(value));
  const source = JSON.stringify({ uri: uri ?? data.caption });
  const uses = [
    ['train', 'training'],
    ['val', 'validation'],
  ] as const;
  return uses.map(([split, context]) => ({
    dataset: {
      name: shorten(`${String(slot.type ?? 'data')} ${split}`, LIMITS.datasetName),
      digest: shorten(data.digest, LIMITS.datasetDigest),
      source_type: 'local',
      source: shorten(source, LIMITS.datasetSource),
      profile: JSON.stringify({ caption: data.caption, notes: data.notes }),
    },
    tags: [{ key: 'mlflow.data.context', value: context }],
  }));
}

/** A trial's description on its page: its configuration and its outcome. */
export function trialNote(
  { row, seed, hash }: Started,
  experiment: string,
  outcome: { result?: TrialResult; failure?: string },
): string {
  const lines = [`**${row}**, seed ${seed}, of ${experiment}. Trial \`${hash.slice(0, 12)}\`.`];
  const { result, failure } = outcome;
  if (failure !== undefined) lines.push('', 'Failed:', '', '```', shorten(failure, 2000), '```');
  if (result) {
    const shown = Object.entries(result.metrics).filter(([name]) => !/^[^.]+\.[^.]+\.\D/.test(name));
    lines.push('', `| metric | epoch ${result.selected.epoch} |`, '| --- | --: |');
    lines.push(
      ...shown
        .slice(0, 40)
        .map(([name, value]) => `| ${name} | ${value === null ? '-' : Number(value.toPrecision(5))} |`),
    );
    for (const reason of new Set(Object.values(result.absent ?? {}))) lines.push('', `-: ${reason}.`);
    lines.push('', result.data.caption, '', ...result.data.notes);
  }
  return lines.join('\n');
}

/** As much of a report as fits into a note, ending with a whole line. */
export function shortNote(text: string, limit: number = LIMITS.tag): string {
  if ([...text].length <= limit) return text;
  const more = '\n\nThe rest is in the artifact report/report.md.';
  const lines: string[] = [];
  let left = limit - more.length;
  for (const line of text.split('\n')) {
    left -= [...line].length + 1;
    if (left < 0) break;
    lines.push(line);
  }
  return lines.join('\n') + more;
}
