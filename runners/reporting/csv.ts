// All numbers of all trials, for spreadsheets and scripts: a line for each trial, a column for each metric. A missing
// value is an empty field, and the column `absent` has the reason.
import { csvField } from '../support/escape.js';
import type { Group } from './conditions.js';
import type { RowResult } from './row-result.js';

export function csv(rows: readonly RowResult[], groups: readonly Group[]): string {
  const metrics = [...new Set(rows.flatMap(({ result }) => Object.keys(result?.metrics ?? {})))];
  const conditions = ['data', 'size', 'epochs', 'pipeline', 'evaluation', 'engine'] as const;
  const own = ['parameters', 'flops', 'seconds', 'memory'] as const;
  const header = [
    'row',
    'seed',
    'state',
    'hash',
    'under',
    ...conditions,
    'epoch',
    ...own,
    ...metrics,
    'absent',
  ];
  const lines = rows.map(({ trial, state, result }) => {
    const group = groups.find((each) => each.rows.includes(trial.row))!;
    return [
      trial.row,
      trial.seed,
      state,
      trial.hash,
      group.letter,
      ...conditions.map((key) => group.conditions[key]),
      result?.selected.epoch,
      ...own.map((key) => result?.[key]),
      ...metrics.map((name) => result?.metrics[name]),
      Object.entries(result?.absent ?? {})
        .map(([key, why]) => `${key}: ${why}`)
        .join('; '),
    ];
  });
  return [header, ...lines].map((line) => `${line.map(csvField).join(',')}\n`).join('');
}
