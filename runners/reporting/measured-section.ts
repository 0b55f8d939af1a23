// The table of what was measured: a line for each row, with what the numbers are of in its caption. Rows under other
// conditions than others have a letter, which the caption explains; what has no value is a dash with a footnote.
import type { Measured, MetricInfo } from '../../registry/contracts/learning.js';
import { MtcpError } from '../../registry/errors.js';
import { own } from '../../registry/own.js';
import { didYouMean } from '../../registry/support/near.js';
import type { Experiment } from '../config/index.js';
import { metricValues } from '../model/primary-metrics.js';
import { selectionNotes } from '../model/selection.js';
import { captionOf, type Group } from './conditions.js';
import { Footnotes } from './footnotes.js';
import {
  keyOf,
  reasonsOf,
  scoreOf,
  standingOf,
  type MeasuredRow,
  type Primary,
  type RowScore,
} from './measure.js';
import type { RowResult } from './row-result.js';
import { fewestSeeds, leastDifference, noiseNotes, noiseOf } from './noise.js';
import { significanceOf, type Significance } from './significance.js';
import { compact, decimalsFor, duration, formatNumber, formatSpread, signed } from './numbers.js';
import { metricColumn, right, type Section } from './sections.js';
import type { Cell, Column } from './table.js';

interface TableColumn {
  /** What it is asked for by: `task.metric`, `delta_m`, `parameters`, ... */
  key: string;
  column: Column;
  cell(row: MeasuredRow): Cell;
  /** Of the constant predictor. */
  constant?(): Cell;
  /** Shown although no row has something in it. */
  always?: boolean;
}

/** Which part of the table is wanted, in which order. */
export interface Choice {
  columns?: readonly string[];
  rows?: readonly string[];
  /** Decimals by column. */
  digits?: Readonly<Record<string, number>>;
  /** Levels of p below which numbers have stars, and the row that they are compared with. */
  significance?: readonly number[];
  against?: string;
}

/**
 * @param choice all of it by default
 * @throws MtcpError `usage` if a row or a column is asked for that there is not
 */
export function measuredSection(
  experiment: Experiment,
  rows: readonly RowResult[],
  all: readonly MeasuredRow[],
  constant: Measured,
  primary: Primary,
  choice: Choice = {},
): Section {
  const measured = choice.rows
    ? choice.rows.map((name) => pickNamed('row', name, all, (row) => row.name, 'rows'))
    : all;
  const groups = [...new Set(measured.map(({ group }) => group))];
  const footnotes = new Footnotes();
  const noise = noiseOf(experiment);
  // Of all rows: the one that is compared with need not be shown.
  if (choice.against !== undefined && !choice.significance)
    pickNamed('row', choice.against, all, (row) => row.name, 'against');
  const significance =
    choice.significance &&
    significanceOf(choice.against === undefined ? measured : all, choice.significance, choice.against);
  const leastOf = (task: string, key: string) => leastDifference(noise, key, fewestSeeds(measured, task));
  const decimalsOf = (key: string, means: readonly number[]) => own(choice.digits, key) ?? decimalsFor(means);
  const known = Object.keys(constant.metrics).length > 0;
  const possible: TableColumn[] = [
    ...(groups.length > 1 ? [groupColumn(groups)] : []),
    ...[...primary].flatMap(([task, info]) =>
      metricCells(task, info, measured, constant, decimalsOf, footnotes, leastOf, significance),
    ),
    ...(Object.keys(experiment.report.delta_m ?? {}).length > 0 ? [deltaColumn(footnotes)] : []),
    ...COSTS,
  ];
  const others = () => otherMetrics(rows, measured, constant, primary, decimalsOf, footnotes, significance);
  const pickColumn = (key: string, option: string) =>
    pickNamed('column', key, [...possible, ...others()], (each) => each.key, option);
  for (const key of Object.keys(choice.digits ?? {})) pickColumn(key, 'digits');
  const columns = choice.columns
    ? choice.columns.map((key) => pickColumn(key, 'columns'))
    : possible.filter(({ cell, always }) => always || measured.some((row) => cell(row) !== ''));
  return {
    id: 'measured',
    title: experiment.title,
    columns: [{ title: 'row' }, ...columns.map(({ column }) => column)],
    rows: [
      ...measured.map((row) => [row.name, ...columns.map(({ cell }) => cell(row))]),
      ...(known ? [['constant predictor', ...columns.map((each) => each.constant?.() ?? '')]] : []),
    ],
    notes: [
      ...conditionNotes(experiment, rows, groups),
      ...ceilingNotes(measured, groups, primary),
      ...noiseNotes(experiment, measured, primary),
      ...(significance ? [significance.note] : []),
      ...(experiment.report.notes ?? []),
      ...experimentNotes(
        experiment,
        columns.some(({ column }) => column.title === 'FLOPs'),
      ),
      ...(known
        ? [
            'The constant predictor says the same everywhere: the most frequent class, the mean of other values on the training split; yes for masks and boundaries.',
          ]
        : []),
    ],
    footnotes: footnotes.texts,
  };
}

/** @param option of report.latex, or the flag of the same name */
function pickNamed<T>(
  what: string,
  name: string,
  all: readonly T[],
  nameOf: (each: T) => string,
  option: string,
): T {
  const found = all.find((each) => nameOf(each) === name);
  if (found) return found;
  throw new MtcpError('usage', `the table has no ${what} "${name}"`, {
    where: `report.latex.${option}`,
    hint: didYouMean(name, new Set(all.map(nameOf))),
  });
}

/** Metrics that tables do not show unless they are asked for. */
function otherMetrics(
  rows: readonly RowResult[],
  measured: readonly MeasuredRow[],
  constant: Measured,
  primary: Primary,
  decimalsOf: DecimalsOf,
  footnotes: Footnotes,
  significance?: Significance,
): TableColumn[] {
  const infos = metricValues(rows.map(({ trial }) => trial));
  return [...infos].flatMap(([task, values]) =>
    values
      .filter(({ name }) => name !== primary.get(task)?.name)
      .flatMap((info) =>
        metricCells(task, info, measured, constant, decimalsOf, footnotes, undefined, significance),
      ),
  );
}

type DecimalsOf = (key: string, means: readonly number[]) => number;

const groupColumn = (groups: readonly Group[]): TableColumn => ({
  key: 'under',
  column: { title: 'under' },
  always: true,
  cell: ({ group }) => group.letter,
  // It is of the first data set.
  constant: () =>
    groups.flatMap(({ letter, scoring }) => (scoring === groups[0].scoring ? letter : [])).join(', '),
});

/** The primary metric, and beside it the value that the metric names, where a split cannot give 100. */
function metricCells(
  task: string,
  info: MetricInfo,
  measured: readonly MeasuredRow[],
  constant: Measured,
  decimalsOf: DecimalsOf,
  footnotes: Footnotes,
  leastOf: (task: string, key: string) => number = () => 0,
  significance?: Significance,
): TableColumn[] {
  const column = (value: Pick<MetricInfo, 'name'>, ranked: boolean): TableColumn => {
    const key = keyOf(task, value);
    const name = `${task} ${value.name}`;
    const means = measured.flatMap(({ done }) => scoreOf(done, key)?.spread?.mean ?? []);
    const decimals = decimalsOf(key, means);
    return {
      key,
      column: metricColumn(task, { ...info, ...value }),
      always: ranked,
      cell(row) {
        const score = scoreOf(row.done, key);
        if (!score) return missing(row);
        const standing = ranked ? standingOf(row, key, info.better, measured, leastOf(task, key)) : undefined;
        const shown = scoreCell(score, name, decimals, footnotes, standing);
        const stars = significance?.stars(row, key) ?? 0;
        return stars > 0 ? { ...(typeof shown === 'string' ? { text: shown } : shown), stars } : shown;
      },
      constant: () => constantCell(constant, key, name, decimals, footnotes),
    };
  };
  const { beside } = info;
  const main = column(info, true);
  const isCapped = measured.some((row) => (ceilingOf(row, task, info) ?? 100) < 100);
  return beside !== undefined && isCapped ? [main, column({ name: beside }, false)] : [main];
}

/** The mean of a metric over seeds, or a dash with the reason. @param name for the footnote */
export function scoreCell(
  score: RowScore,
  name: string,
  decimals: number,
  footnotes: Footnotes,
  standing?: 'best' | 'second',
): Cell {
  const { spread, bySeed, absent } = score;
  if (!spread) return { text: '-', marks: [footnotes.mark(`${name}: ${reasonsOf(score)}.`)] };
  const text = formatSpread(spread, decimals);
  if (absent.size === 0) return standing ? { text, standing } : text;
  const without = [...absent.keys()].join(', ');
  const note = `${name}: mean over ${bySeed.size === 1 ? 'seed' : 'seeds'} ${[...bySeed.keys()].join(', ')}; without a value: ${without} (${reasonsOf(score)}).`;
  return { text, standing, marks: [footnotes.mark(note)] };
}

function constantCell(
  { metrics, absent }: Measured,
  key: string,
  name: string,
  decimals: number,
  footnotes: Footnotes,
): Cell {
  const value = own(metrics, key);
  if (typeof value === 'number') return formatNumber(value, decimals);
  if (value === undefined) return '-';
  return { text: '-', marks: [footnotes.mark(`${name}: ${absent?.[key] ?? 'nothing was counted'}.`)] };
}

/** Why a cell has no number. */
function missing({ states, scores }: MeasuredRow): string {
  return scores.size > 0 ? '-' : (states.find((state) => state !== 'done') ?? '-');
}

function deltaColumn(footnotes: Footnotes): TableColumn {
  return {
    key: 'delta_m',
    column: right('delta-m %'),
    always: true,
    cell({ delta, deltaAbsent, deltaNote }) {
      if (deltaAbsent !== undefined)
        return { text: '-', marks: [footnotes.mark(`delta-m: ${deltaAbsent}.`)] };
      if (delta === undefined) return '';
      const text = signed(delta);
      return deltaNote === undefined ? text : { text, marks: [footnotes.mark(`${deltaNote}.`)] };
    },
  };
}

const COSTS: readonly TableColumn[] = [
  {
    key: 'parameters',
    column: right('parameters'),
    cell: ({ parameters }) => parameters?.toLocaleString('en-US') ?? '',
  },
  { key: 'flops', column: right('FLOPs'), cell: ({ flops }) => (flops ? compact(flops) : '') },
  {
    key: 'training',
    column: right('training'),
    cell: ({ seconds }) => (seconds === undefined ? '' : duration(seconds)),
  },
  {
    key: 'step',
    column: right('a step'),
    cell: ({ secondsPerStep }) =>
      secondsPerStep === undefined ? '' : `${(1000 * secondsPerStep).toFixed(0)} ms`,
  },
  { key: 'memory', column: right('memory'), cell: ({ memory }) => (memory ? `${compact(memory)}B` : '') },
];

/** What the numbers are of, for each group of rows: they mean nothing without it. */
function conditionNotes(
  { profile }: Experiment,
  rows: readonly RowResult[],
  groups: readonly Group[],
): string[] {
  const seeds = [...new Set(rows.map(({ trial }) => trial.seed))];
  const caption = (group: Group) => captionOf(group, { profile, seeds, all: groups });
  const unchosen = rows.flatMap(({ trial: { row, config }, result }) =>
    result && config.evaluate.selection.rule === 'best' && result.selected.rule === 'last' ? row : [],
  );
  const several = groups.length > 1;
  return [
    ...groups.map((group) => `${several ? `${group.letter}: ` : ''}Trained here: ${caption(group)}.`),
    ...(several
      ? ['Rows with different letters cannot be compared: the best is looked for among rows of one letter.']
      : []),
    ...selectionNotes(rows.map(({ trial }) => trial)),
    ...classWeightNotes(rows),
    ...(unchosen.length > 0
      ? [
          `No evaluation had a score to choose an epoch by, so the weights are those of the last: ${[...new Set(unchosen)].join(', ')}.`,
        ]
      : []),
    ...new Set(groups.flatMap(({ conditions }) => conditions.notes)),
  ];
}

/** What classes weighed in losses that weigh them by the training split. */
function classWeightNotes(rows: readonly RowResult[]): string[] {
  const named = new Map<string, Set<string>>();
  for (const { trial, result } of rows)
    for (const [task, weights] of Object.entries(result?.classWeights ?? {})) {
      const [low, high] = [Math.min(...weights), Math.max(...weights)].map(formatNumber);
      const rule = String(
        trial.config.tasks[task]?.loss.class_weights ?? trial.config.tasks[task]?.loss.type,
      );
      const text = `The loss of ${task} weighs classes by the training split (${rule}): ${low} to ${high}`;
      named.set(text, (named.get(text) ?? new Set()).add(trial.row));
    }
  return [...named].map(([text, names]) => `${text}. Rows: ${[...names].join(', ')}.`);
}

function experimentNotes({ report }: Experiment, flops: boolean): string[] {
  const baselines = Object.entries(report.delta_m ?? {});
  return [
    ...(baselines.length > 0
      ? [`delta-m: mean relative gain over ${baselines.map(([task, row]) => `${row} (${task})`).join(', ')}.`]
      : []),
    ...(flops
      ? ['FLOPs: matrix products and convolutions of one forward pass of one image, a multiply-add as two.']
      : []),
  ];
}

function ceilingOf({ done }: MeasuredRow, task: string, { ceiling }: MetricInfo): number | undefined {
  return ceiling && scoreOf(done, keyOf(task, { name: ceiling.value }))?.spread?.mean;
}

/** What a metric can come to on a split, where that is not 100. */
function ceilingNotes(
  measured: readonly MeasuredRow[],
  groups: readonly Group[],
  primary: Primary,
): string[] {
  const notes = new Set<string>();
  for (const group of groups)
    for (const [task, info] of primary) {
      const row = measured.find((other) => other.group === group && other.scores.has(task));
      const most = row && ceilingOf(row, task, info);
      if (most === undefined || most >= 100) continue;
      const because = info.ceiling!.because.replace(/\{(\w+)\}/g, (_, name: string) =>
        String(scoreOf(row!.done, keyOf(task, { name }))?.spread?.mean ?? '?'),
      );
      const letter = groups.length > 1 ? ` (${group.letter})` : '';
      notes.add(`${task} ${info.name} is at most ${formatNumber(most)} on this split${letter}: ${because}.`);
    }
  return [...notes];
}
