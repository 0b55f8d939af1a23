// What a person gets in the end: the measured table, the printed one beside it, delta-m, the course of the loss
// weights, and where the files are. Measured and printed numbers never share a table.
import { join } from 'node:path';
import type { MetricInfo } from '../../registry/contracts/learning.js';
import type { Experiment, Printed, Trial } from '../config/index.js';
import { readEvents } from '../ledger/events.js';
import type { TrialResult, TrialState } from '../ledger/run-folder.js';
import { selectionNotes } from '../training/selection.js';
import type { Plot } from './plots/draw.js';
import { weightsPlot, type WeightCourse } from './plots/weights.js';
import { deltaM, spreadOf, type Spread } from './statistics.js';
import { markdownTable, sparkline, textTable, type Column } from './table.js';

/** What became of a trial. */
export interface RowResult {
  trial: Trial;
  state: TrialState;
  folder: string;
  result?: TrialResult;
}

export interface Report {
  /** For a terminal. */
  text: string;
  markdown: string;
  /** The last line of `--json`. */
  json: TableEvent;
  /** What the Markdown shows as pictures. */
  plots: Plot[];
}

export interface TableEvent {
  event: 'table';
  experiment: string;
  profile: string | null;
  rows: { row: string; seed: number; state: TrialState; metrics: Record<string, number>; folder: string }[];
  /** The same keys as a row with all tasks has. */
  constant: Record<string, number>;
  /** Row to delta-m in percent, for rows that have every task of the baselines. */
  delta_m: Record<string, number>;
}

interface MeasuredRow {
  name: string;
  states: TrialState[];
  metrics: Map<string, Spread>;
  delta?: number;
  seconds?: number;
  /** Seconds of a training step, loading included. */
  secondsPerStep?: number;
  parameters?: number;
}

export function buildReport(
  experiment: Experiment,
  rows: readonly RowResult[],
  constant: Record<string, number>,
  primary: ReadonlyMap<string, MetricInfo>,
): Report {
  const keys = [...primary].map(([task, { name }]) => `${task}.${name}`);
  const measured = measure(experiment, rows, primary);
  const constantRow = Object.fromEntries(
    keys.filter((key) => key in constant).map((key) => [key, constant[key]]),
  );
  const json: TableEvent = {
    event: 'table',
    experiment: experiment.name,
    profile: experiment.profile,
    rows: rows.map(({ trial: { row, seed }, state, folder, result }) => ({
      row,
      seed,
      state,
      metrics: pick(result?.metrics ?? {}, keys),
      folder,
    })),
    constant: constantRow,
    delta_m: Object.fromEntries(
      measured.flatMap(({ name, delta }) => (delta === undefined ? [] : [[name, delta]])),
    ),
  };
  const sections: Section[] = [measuredSection(experiment, rows, measured, constantRow, primary)];
  if (experiment.report.printed) sections.push(printedSection(experiment.report.printed, primary));
  const courses = weightCourses(rows);
  const weights = weightsSection(courses);
  if (weights) sections.push(weights);
  const plots = [weightsPlot(courses) ?? []].flat();
  const pictures = plots.map(({ name, title }) => `## ${title}\n\n![${title}](${name}.svg)\n`);
  return {
    json,
    text: render(sections, textTable, plainHeading),
    markdown: [render(sections, markdownTable, markdownHeading), ...pictures].join('\n'),
    plots,
  };
}

interface Section {
  title: string;
  columns: Column[];
  rows: string[][];
  notes: string[];
}

function measure(
  experiment: Experiment,
  rows: readonly RowResult[],
  primary: ReadonlyMap<string, MetricInfo>,
): MeasuredRow[] {
  const names = [...new Set(rows.map(({ trial }) => trial.row))];
  const measured = names.map((name): MeasuredRow => {
    const own = rows.filter(({ trial }) => trial.row === name);
    const done = own.flatMap(({ result }) => result ?? []);
    const metrics = new Map<string, Spread>();
    for (const [task, { name: metric }] of primary) {
      const values = done
        .map((result) => result.metrics[`${task}.${metric}`])
        .filter((value) => value !== undefined);
      if (values.length > 0) metrics.set(task, spreadOf(values));
    }
    return {
      name,
      states: own.map(({ state }) => state),
      metrics,
      seconds: done[0]?.seconds,
      secondsPerStep: done[0] && done[0].seconds / done[0].steps,
      parameters: done[0]?.parameters,
    };
  });
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
  }
  return measured;
}

function measuredSection(
  experiment: Experiment,
  rows: readonly RowResult[],
  measured: readonly MeasuredRow[],
  constant: Record<string, number>,
  primary: ReadonlyMap<string, MetricInfo>,
): Section {
  const withDelta = Object.keys(experiment.report.delta_m ?? {}).length > 0;
  const columns: Column[] = [{ title: 'row' }, ...metricColumns(primary)];
  if (withDelta) columns.push({ title: 'delta-m %', align: 'right' });
  for (const title of ['parameters', 'training', 'a step']) columns.push({ title, align: 'right' });
  const cells = (row: MeasuredRow): string[] => [
    row.name,
    ...[...primary.keys()].map((task) =>
      row.metrics.has(task) ? formatSpread(row.metrics.get(task)!) : missing(row),
    ),
    ...(withDelta ? [row.delta === undefined ? '' : signed(row.delta)] : []),
    row.parameters?.toLocaleString('en-US') ?? '',
    row.seconds === undefined ? '' : duration(row.seconds),
    row.secondsPerStep === undefined ? '' : `${(1000 * row.secondsPerStep).toFixed(0)} ms`,
  ];
  const blanks = Array<string>(columns.length - 1 - primary.size).fill('');
  const constantCells = [...primary].map(([task, { name }]) => formatNumber(constant[`${task}.${name}`]));
  const data = rows.flatMap(({ result }) => result?.data ?? []).at(0);
  const seeds = [...new Set(rows.map(({ trial }) => trial.seed))];
  const { mode } = rows[0].trial.config.evaluate;
  const notes = [
    `Trained here: ${data?.caption ?? 'nothing yet'}${experiment.profile ? `, profile ${experiment.profile}` : ''}, ` +
      `${seeds.length === 1 ? `seed ${seeds[0]}` : `seeds ${seeds.join(', ')} (mean ± standard deviation)`}, evaluation ${mode}.`,
    ...selectionNotes(rows.map(({ trial }) => trial)),
    ...(data?.notes ?? []),
    'The constant predictor says the same everywhere: most frequent class, mean depth, mean normal of the training split.',
  ];
  return {
    title: experiment.title,
    columns,
    rows: [...measured.map(cells), ['constant predictor', ...constantCells, ...blanks]],
    notes,
  };
}

function printedSection(
  { source, setting, rows }: Printed,
  primary: ReadonlyMap<string, MetricInfo>,
): Section {
  const keys = [...primary].map(([task, { name }]) => `${task}.${name}`);
  return {
    title: `Printed in ${source}`,
    columns: [{ title: 'row' }, ...metricColumns(primary)],
    rows: Object.entries(rows).map(([row, numbers]) => [
      row,
      ...keys.map((key) => (key in numbers ? formatNumber(numbers[key]) : '-')),
    ]),
    notes: [
      `${setting ? `${setting}. ` : ''}Other data and another scale than above: compare the order of rows, not the numbers.`,
    ],
  };
}

/** Weights and losses of every epoch, for the first seed of every row. */
function weightCourses(rows: readonly RowResult[]): WeightCourse[] {
  const courses = new Map<string, WeightCourse>();
  for (const { trial, folder } of rows) {
    if (courses.has(trial.row)) continue;
    const epochs = readEvents(join(folder, 'events.jsonl')).filter((event) => event.event === 'epoch');
    courses.set(trial.row, { row: trial.row, epochs });
  }
  return [...courses.values()];
}

/** How the loss weights moved, for every row in which they did. */
function weightsSection(rows: readonly WeightCourse[]): Section | undefined {
  const lines: string[][] = [];
  for (const { row, epochs } of rows) {
    const courses = new Map<string, number[]>();
    for (const { weights } of epochs)
      for (const [task, weight] of Object.entries(weights))
        courses.set(task, [...(courses.get(task) ?? []), weight]);
    const all = [...courses.values()].flat();
    if (all.every((weight) => weight === 1)) continue;
    const [low, high] = [Math.min(...all), Math.max(...all)];
    for (const [task, course] of courses)
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
  const right = (title: string): Column => ({ title, align: 'right' });
  return {
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
    notes: [],
  };
}

function metricColumns(primary: ReadonlyMap<string, MetricInfo>): Column[] {
  return [...primary].map(([task, { name, better, unit }]) => ({
    title: `${task} ${name}${unit ? ` ${unit}` : ''} ${better === 'higher' ? '↑' : '↓'}`,
    align: 'right',
  }));
}

/** Why a cell has no number. */
function missing({ states, metrics }: MeasuredRow): string {
  return metrics.size > 0 ? '-' : (states.find((state) => state !== 'done') ?? '-');
}

function pick(metrics: Record<string, number>, keys: readonly string[]): Record<string, number> {
  return Object.fromEntries(keys.filter((key) => key in metrics).map((key) => [key, metrics[key]]));
}

export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  return Math.abs(value) >= 10 ? value.toFixed(2) : value.toFixed(4);
}

function formatSpread({ mean, deviation }: Spread): string {
  return deviation === undefined ? formatNumber(mean) : `${formatNumber(mean)} ± ${formatNumber(deviation)}`;
}

const signed = (value: number): string => `${value >= 0 ? '+' : ''}${value.toFixed(2)}`;

export function duration(seconds: number): string {
  if (seconds < 100) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 100 ? `${minutes} min ${Math.round(seconds % 60)} s` : `${(minutes / 60).toFixed(1)} h`;
}

const plainHeading = (title: string): string => title;
const markdownHeading = (title: string): string => `## ${title}`;

function render(
  sections: readonly Section[],
  table: typeof textTable,
  heading: (title: string) => string,
): string {
  return `${sections.map(({ title, columns, rows, notes }) => [heading(title), '', table(columns, rows), ...(notes.length > 0 ? ['', ...notes] : [])].join('\n')).join('\n\n')}\n`;
}
