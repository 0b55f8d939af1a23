// The tables of a report: what was measured, how rows differ from the first, what a paper printed, how loss weights
// moved. Measured and printed numbers never share a table. How tables look as text, LaTeX or HTML is decided
// elsewhere.
import { join } from 'node:path';
import type { Experiment, Printed } from '../config/index.js';
import { courseOf, readEvents } from '../store/ledger/events.js';
import { selectionNotes } from '../model/selection.js';
import { isBest, keyOf, type MeasuredRow, type Primary, type RowResult } from './measure.js';
import { compact, duration, formatNumber, formatSpread, signed } from './numbers.js';
import type { WeightCourse } from './plots/weights.js';
import { pairedDifference, spreadOf } from './statistics.js';
import { sparkline, type Cell, type Column } from './table.js';

export interface Section {
  /** For links and file names. */
  id: string;
  title: string;
  columns: Column[];
  rows: Cell[][];
  notes: string[];
}

const right = (title: string): Column => ({ title, align: 'right' });

export function measuredSection(
  experiment: Experiment,
  rows: readonly RowResult[],
  measured: readonly MeasuredRow[],
  constant: Record<string, number>,
  primary: Primary,
): Section {
  const withDelta = Object.keys(experiment.report.delta_m ?? {}).length > 0;
  const extra: { column: Column; cell(row: MeasuredRow): string }[] = [
    { column: right('parameters'), cell: ({ parameters }) => parameters?.toLocaleString('en-US') ?? '' },
    { column: right('FLOPs'), cell: ({ flops }) => (flops ? compact(flops) : '') },
    { column: right('training'), cell: ({ seconds }) => (seconds === undefined ? '' : duration(seconds)) },
    {
      column: right('a step'),
      cell: ({ secondsPerStep }) =>
        secondsPerStep === undefined ? '' : `${(1000 * secondsPerStep).toFixed(0)} ms`,
    },
    { column: right('memory'), cell: ({ memory }) => (memory ? `${compact(memory)}B` : '') },
  ];
  if (withDelta)
    extra.unshift({
      column: right('delta-m %'),
      cell: ({ delta }) => (delta === undefined ? '' : signed(delta)),
    });
  const used = extra.filter(
    ({ column, cell }) => column.title === 'delta-m %' || measured.some((row) => cell(row)),
  );
  const cells = (row: MeasuredRow): Cell[] => [
    row.name,
    ...[...primary.keys()].map((task): Cell => {
      const spread = row.metrics.get(task);
      if (!spread) return missing(row);
      const text = formatSpread(spread);
      return isBest(row, task, measured, primary) ? { text, best: true } : text;
    }),
    ...used.map(({ cell }) => cell(row)),
  ];
  const known = Object.keys(constant).length > 0;
  const constantRow = [
    'constant predictor',
    ...[...primary].map(([task, info]) =>
      Object.hasOwn(constant, keyOf(task, info)) ? formatNumber(constant[keyOf(task, info)]) : '-',
    ),
    ...used.map(() => ''),
  ];
  return {
    id: 'measured',
    title: experiment.title,
    columns: [{ title: 'row' }, ...metricColumns(primary), ...used.map(({ column }) => column)],
    rows: [...measured.map(cells), ...(known ? [constantRow] : [])],
    notes: captions(
      experiment,
      rows,
      known,
      used.some(({ column }) => column.title === 'FLOPs'),
    ),
  };
}

/** What the numbers are of: they mean nothing without it. */
function captions(
  experiment: Experiment,
  rows: readonly RowResult[],
  constant: boolean,
  flops: boolean,
): string[] {
  const data = rows.flatMap(({ result }) => result?.data ?? []).at(0);
  const seeds = [...new Set(rows.map(({ trial }) => trial.seed))];
  const { config } = rows[0].trial;
  const { mode } = config.evaluate;
  const pipelines = [...new Set(rows.map(({ trial }) => trial.config.augment.type))];
  const size = (config.augment.size as number[] | undefined)?.join('x');
  const baselines = Object.entries(experiment.report.delta_m ?? {});
  return [
    [
      `Trained here: ${data?.caption ?? 'nothing yet'}`,
      ...(experiment.profile ? [`profile ${experiment.profile}`] : []),
      ...(size ? [`images of ${size}`] : []),
      `${config.train.epochs} epoch${config.train.epochs === 1 ? '' : 's'}`,
      seeds.length === 1 ? `seed ${seeds[0]}` : `seeds ${seeds.join(', ')} (mean ± standard deviation)`,
      `pipeline ${pipelines.join(' or ')}`,
      `evaluation ${mode}.`,
    ].join(', '),
    ...selectionNotes(rows.map(({ trial }) => trial)),
    ...(data?.notes ?? []),
    ...(baselines.length > 0
      ? [`delta-m: mean relative gain over ${baselines.map(([task, row]) => `${row} (${task})`).join(', ')}.`]
      : []),
    ...(flops
      ? ['FLOPs: matrix products and convolutions of one forward pass of one image, a multiply-add as two.']
      : []),
    ...(constant
      ? [
          'The constant predictor says the same everywhere: most frequent class, mean depth, mean normal of the training split; everything salient.',
        ]
      : []),
  ];
}

/** Every row against the first, seed by seed; undefined without two seeds in common. */
export function differencesSection(measured: readonly MeasuredRow[], primary: Primary): Section | undefined {
  const [reference, ...others] = measured;
  const rows: Cell[][] = [];
  const counts = new Set<number>();
  for (const row of others) {
    const cells = [...primary.keys()].map((task) => {
      const [ours, theirs] = [row.bySeed.get(task), reference.bySeed.get(task)];
      const seeds = [...(ours?.keys() ?? [])].filter((seed) => theirs?.has(seed));
      if (seeds.length < 2) return '-';
      const { mean, count, p } = pairedDifference(
        seeds.map((seed) => ours!.get(seed)!),
        seeds.map((seed) => theirs!.get(seed)!),
      );
      counts.add(count);
      const digits = Math.abs(reference.metrics.get(task)!.mean) >= 10 ? 2 : 4;
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
      `Mean difference over seeds that both rows have, n = ${[...counts].join(' or ')}; p of the two-sided paired t-test, not corrected for the number of comparisons.`,
    ],
  };
}

export function printedSection({ source, setting, rows }: Printed, primary: Primary): Section {
  const withDelta = Object.values(rows).some((numbers) => Object.hasOwn(numbers, 'delta_m'));
  const keys = [...[...primary].map(([task, info]) => keyOf(task, info)), ...(withDelta ? ['delta_m'] : [])];
  return {
    id: 'printed',
    title: `Printed in ${source}`,
    columns: [{ title: 'row' }, ...metricColumns(primary), ...(withDelta ? [right('delta-m %')] : [])],
    rows: Object.entries(rows).map(([row, numbers]) => [
      row,
      ...keys.map((key) =>
        Object.hasOwn(numbers, key)
          ? key === 'delta_m'
            ? signed(numbers[key])
            : formatNumber(numbers[key])
          : '-',
      ),
    ]),
    notes: [
      `${setting ? `${setting}. ` : ''}Other data and another scale than above: compare the order of rows, not the numbers.`,
    ],
  };
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
  const lines: string[][] = [];
  for (const row of new Set(courses.map((course) => course.row))) {
    const found = new Map<string, Map<number, number[]>>();
    for (const { epoch, weights } of courses.flatMap((course) => (course.row === row ? course.epochs : [])))
      for (const [task, weight] of Object.entries(weights)) {
        const epochs = found.get(task) ?? new Map<number, number[]>();
        found.set(task, epochs.set(epoch, [...(epochs.get(epoch) ?? []), weight]));
      }
    const means = [...found].map(
      ([task, epochs]) => [task, [...epochs.values()].map((values) => spreadOf(values).mean)] as const,
    );
    const all = means.flatMap(([, course]) => course);
    if (all.every((weight) => weight === 1)) continue;
    const [low, high] = [Math.min(...all), Math.max(...all)];
    for (const [task, course] of means)
      lines.push([
        row,
        task,
        formatNumber(Math.min(...course)),
        formatNumber(Math.max(...course)),
        formatNumber(course.at(-1)!),
        sparkline(course, low, high),
      ]);
  }
  if (lines.length === 0) return undefined;
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
    rows: lines,
    notes: new Set(courses.map(({ seed }) => seed)).size > 1 ? ['Means over the seeds.'] : [],
  };
}

export function metricColumns(primary: Primary): Column[] {
  return [...primary].map(([task, { name, better, unit }]) => ({
    title: `${task} ${name}${unit ? ` ${unit}` : ''} ${better === 'higher' ? '↑' : '↓'}`,
    align: 'right',
  }));
}

/** Why a cell has no number. */
function missing({ states, metrics }: MeasuredRow): string {
  return metrics.size > 0 ? '-' : (states.find((state) => state !== 'done') ?? '-');
}
