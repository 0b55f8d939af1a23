// The tables of a report besides the one of what was measured (measured-section.ts): how rows differ from the first,
// what a paper printed, how loss weights moved. Measured and printed numbers never share a table. How tables look as
// text, LaTeX or HTML is decided elsewhere.
import { join } from 'node:path';
import { own } from '../../registry/own.js';
import type { Printed } from '../config/index.js';
import { courseOf, readEvents } from '../store/ledger/events.js';
import { keyOf, type MeasuredRow, type Primary } from './measure.js';
import type { RowResult } from './row-result.js';
import { decimalsFor, formatNumber, signed } from './numbers.js';
import type { WeightCourse } from './plots/weights.js';
import { pairedDifference, rankCorrelation, spreadOf } from './statistics.js';
import { sparkline, type Cell, type Column } from './table.js';

export interface Section {
  /** For links and file names. */
  id: string;
  title: string;
  columns: Column[];
  rows: Cell[][];
  /** What a reader has to know to read the table. */
  notes: string[];
  /** What cells refer to by number, from 1. */
  footnotes?: readonly string[];
}

export const right = (title: string): Column => ({ title, align: 'right' });

/** Every row against the first of its group, seed by seed; a table for each group with two seeds in common. */
export function differencesSections(measured: readonly MeasuredRow[], primary: Primary): Section[] {
  const groups = [...new Set(measured.map(({ group }) => group))];
  return groups.flatMap((group) => {
    const rows = measured.filter((row) => row.group === group);
    const section = differencesSection(rows, primary);
    return section ? [groups.length > 1 ? { ...section, id: `${section.id}-${group.letter}` } : section] : [];
  });
}

function differencesSection(measured: readonly MeasuredRow[], primary: Primary): Section | undefined {
  const [reference, ...others] = measured;
  const rows: Cell[][] = [];
  const counts = new Set<number>();
  for (const row of others) {
    const cells = [...primary.keys()].map((task) => {
      const [ours, theirs] = [row.scores.get(task)?.bySeed, reference.scores.get(task)?.bySeed];
      const seeds = [...(ours?.keys() ?? [])].filter((seed) => theirs?.has(seed));
      if (seeds.length < 2) return '-';
      const { mean, count, p } = pairedDifference(
        seeds.map((seed) => ours!.get(seed)!),
        seeds.map((seed) => theirs!.get(seed)!),
      );
      counts.add(count);
      const digits = decimalsFor(meansOf(measured, task));
      return `${signed(mean, digits)} (p ${p === undefined ? '-' : p < 0.001 ? '< 0.001' : p.toFixed(3)})`;
    });
    if (cells.some((cell) => cell !== '-')) rows.push([row.name, ...cells]);
  }
  if (rows.length === 0) return undefined;
  return {
    id: 'differences',
    title: `Differences from ${reference.name}`,
    columns: [{ title: 'row' }, ...metricColumns(primary)],
    rows,
    notes: [
      `Mean difference over seeds that both rows have a value of, n = ${[...counts].join(' or ')}; p of the two-sided paired t-test, not corrected for the number of comparisons.`,
    ],
  };
}

export const meansOf = (measured: readonly MeasuredRow[], task: string): number[] =>
  measured.flatMap(({ scores }) => scores.get(task)?.spread?.mean ?? []);

/** @param measured the rows above, for how alike the two orders are */
export function printedSection(
  { source, setting, rows }: Printed,
  primary: Primary,
  measured: readonly MeasuredRow[],
): Section {
  const all = Object.values(rows);
  const withDelta = all.some((numbers) => Object.hasOwn(numbers, 'delta_m'));
  const keys = [...primary].map(([task, info]) => keyOf(task, info));
  const decimals = keys.map((key) => decimalsFor(all.flatMap((numbers) => own(numbers, key) ?? [])));
  return {
    id: 'printed',
    title: `Printed in ${source}`,
    columns: [{ title: 'row' }, ...metricColumns(primary), ...(withDelta ? [right('delta-m %')] : [])],
    rows: Object.entries(rows).map(([row, numbers]) => [
      row,
      ...keys.map((key, i) => {
        const value = own(numbers, key);
        return value === undefined ? '-' : formatNumber(value, decimals[i]);
      }),
      ...(withDelta ? [Object.hasOwn(numbers, 'delta_m') ? signed(numbers.delta_m) : '-'] : []),
    ]),
    notes: [
      `${setting ? `${setting}. ` : ''}Other data and another scale than above: compare the order of rows, not the numbers.`,
      ...orderNotes(rows, primary, measured),
    ],
  };
}

/** How alike the order of the measured rows is to the printed one. Nothing if rows were measured under several conditions. */
function orderNotes(printed: Printed['rows'], primary: Primary, measured: readonly MeasuredRow[]): string[] {
  const both = measured.filter(({ name, done }) => done.length > 0 && Object.hasOwn(printed, name));
  if (new Set(both.map(({ group }) => group)).size !== 1) return [];
  const correlations = [...primary].flatMap(([task, info]) => {
    const pairs = both.flatMap(({ name, scores }): [number, number][] => {
      const [ours, theirs] = [scores.get(task)?.spread?.mean, own(printed[name], keyOf(task, info))];
      return ours === undefined || theirs === undefined ? [] : [[ours, theirs]];
    });
    const correlation = rankCorrelation(
      pairs.map(([ours]) => ours),
      pairs.map(([, theirs]) => theirs),
    );
    return correlation === undefined
      ? []
      : [`${task} ${info.name} ${signed(correlation, 2)} (${pairs.length} rows)`];
  });
  if (correlations.length === 0) return [];
  return [
    `Spearman's rank correlation of this order with the measured one (1: the same, 0: unrelated, -1: the reverse): ${correlations.join(', ')}.`,
  ];
}

/** Weights and losses of every epoch. */
export const weightCourses = (rows: readonly RowResult[]): WeightCourse[] =>
  rows.map(({ trial: { row, seed }, folder }) => ({
    row,
    seed,
    epochs: courseOf(readEvents(join(folder, 'events.jsonl'))).filter((event) => event.event === 'epoch'),
  }));

/** How the loss weights moved, for every row in which they did: means over the seeds. */
export function weightsSection(courses: readonly WeightCourse[]): Section | undefined {
  const found: { row: string; task: string; course: number[]; low: number; high: number }[] = [];
  for (const row of new Set(courses.map((course) => course.row))) {
    const tasks = new Map<string, Map<number, number[]>>();
    for (const { epoch, weights } of courses.flatMap((course) => (course.row === row ? course.epochs : [])))
      for (const [task, weight] of Object.entries(weights)) {
        const epochs = tasks.get(task) ?? new Map<number, number[]>();
        tasks.set(task, epochs.set(epoch, [...(epochs.get(epoch) ?? []), weight]));
      }
    const means = [...tasks].map(
      ([task, epochs]) => [task, [...epochs.values()].map((values) => spreadOf(values).mean)] as const,
    );
    if (means.every(([, course]) => course.every((weight) => weight === course[0]))) continue;
    const all = means.flatMap(([, course]) => course);
    const [low, high] = [Math.min(...all), Math.max(...all)];
    for (const [task, course] of means) found.push({ row, task, course, low, high });
  }
  if (found.length === 0) return undefined;
  const decimals = decimalsFor(found.flatMap(({ course }) => course));
  return {
    id: 'weights',
    title: 'Loss weights, epoch by epoch',
    columns: [
      { title: 'row' },
      { title: 'task' },
      right('least'),
      right('most'),
      right('last'),
      { title: 'course' },
    ],
    rows: found.map(({ row, task, course, low, high }) => [
      row,
      task,
      ...[Math.min(...course), Math.max(...course), course.at(-1)!].map((weight) =>
        formatNumber(weight, decimals),
      ),
      sparkline(course, low, high),
    ]),
    notes: new Set(courses.map(({ seed }) => seed)).size > 1 ? ['Means over the seeds.'] : [],
  };
}

export const metricColumns = (primary: Primary): Column[] =>
  [...primary].map(([task, info]) => metricColumn(task, info));

export function metricColumn(
  task: string,
  { name, better, unit }: { name: string; better: 'higher' | 'lower'; unit: string },
): Column {
  return right(`${task} ${name}${unit ? ` ${unit}` : ''} ${better === 'higher' ? '↑' : '↓'}`);
}
