// Every number of every trial, for spreadsheets and scripts: a line for each trial, a column for each metric.
import type { RowResult } from './measure.js';

export function csv(rows: readonly RowResult[]): string {
  const metrics = [...new Set(rows.flatMap(({ result }) => Object.keys(result?.metrics ?? {})))];
  const own = ['epoch', 'parameters', 'flops', 'seconds', 'memory'] as const;
  const header = ['row', 'seed', 'state', 'hash', ...own, ...metrics];
  const lines = rows.map(({ trial, state, result }) => [
    trial.row,
    trial.seed,
    state,
    trial.hash,
    result?.selected.epoch,
    ...own.slice(1).map((key) => result?.[key as Exclude<(typeof own)[number], 'epoch'>]),
    ...metrics.map((name) => result?.metrics[name]),
  ]);
  return [header, ...lines].map((line) => `${line.map(field).join(',')}\n`).join('');
}

/** RFC 4180; a leading sign of a formula is put in quotes as text. */
function field(value: string | number | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
