// The report of an experiment: tables and pictures, in the format that is asked for.
import type { Experiment, LatexConfig } from '../config/index.js';
import type { TrialState } from '../store/ledger/run-folder.js';
import type { Measured, MetricInfo, MetricValues } from '../../registry/contracts/learning.js';
import { latexText, markdownText, oneLine } from '../support/escape.js';
import { csv } from './csv.js';
import type { Conditions } from './conditions.js';
import { checkExpectations, type Checked } from './expect.js';
import { keyOf, measure, type MeasuredRow, type Primary } from './measure.js';
import type { RowResult } from './row-result.js';
import { costPlot } from './plots/cost.js';
import { searchPlots } from './plots/search.js';
import { searchOf } from './search.js';
import { hiddenRows, searchSection } from './search-section.js';
import type { Plot } from '../drawing/draw.js';
import { weightsPlot } from './plots/weights.js';
import { superscripts } from './footnotes.js';
import { measuredSection } from './measured-section.js';
import {
  differencesSections,
  printedSection,
  weightCourses,
  weightsSection,
  type Section,
} from './sections.js';
import { latexTable, markdownTable, standingOf, textTable } from './table.js';

export type { RowResult } from './row-result.js';

export interface Report {
  sections: Section[];
  /** Rows of a search only as far as tables show them. */
  measured: MeasuredRow[];
  /** For a terminal. */
  text: string;
  markdown: string;
  latex: string;
  /** Every metric of every trial. */
  csv: string;
  /** The last line of `--json`. */
  json: TableEvent;
  /** What the Markdown shows as pictures. */
  plots: Plot[];
  /** How the numbers compare with the experiment's `report.expect`. */
  checked: Checked[];
  /** What else it should have; each was left out because of its error. */
  faults: { what: string; error: unknown }[];
}

export interface TableEvent {
  event: 'table';
  experiment: string;
  profile: string | null;
  rows: {
    row: string;
    seed: number;
    state: TrialState;
    /** null where there is no value; `absent` says why. */
    metrics: MetricValues;
    absent?: Record<string, string>;
    folder: string;
    /** Of `conditions`. */
    under: string;
  }[];
  /** What rows were trained and scored under, by letter; rows of one letter can be compared. */
  conditions: Record<string, Omit<Conditions, 'metrics'>>;
  /** The same keys as a row with all tasks has. */
  constant: MetricValues;
  /** Whether more of a metric is better. */
  better: Record<string, MetricInfo['better']>;
  /** Row to delta-m in percent, for rows that have every task of the baselines. */
  delta_m: Record<string, number>;
}

/** @param damaged files of the experiment that cannot be read; damaged files of trials are reported in their rows */
export function buildReport(
  experiment: Experiment,
  rows: readonly RowResult[],
  constant: Measured,
  primary: Primary,
  damaged: readonly string[] = [],
  latex: LatexConfig = {},
): Report {
  const keys = [...primary].map(([task, info]) => keyOf(task, info));
  const everything = measure(experiment, rows, primary);
  const search = searchOf(experiment, everything, primary);
  const hidden = search ? hiddenRows(search) : new Set<string>();
  const measured = everything.filter(({ name }) => !hidden.has(name));
  const shown = rows.filter(({ trial }) => !hidden.has(trial.row));
  const groups = [...new Set(everything.map(({ group }) => group))];
  const letterOf = (row: string) => groups.find((group) => group.rows.includes(row))!.letter;
  const json: TableEvent = {
    event: 'table',
    experiment: experiment.name,
    profile: experiment.profile,
    rows: rows.map(({ trial: { row, seed }, state, folder, result }) => ({
      row,
      seed,
      state,
      metrics: pick(result?.metrics ?? {}, keys),
      ...(result?.absent && { absent: pick(result.absent, keys) }),
      folder,
      under: letterOf(row),
    })),
    conditions: Object.fromEntries(
      groups.map(({ letter, conditions: { metrics: _metrics, ...conditions } }) => [letter, conditions]),
    ),
    constant: pick(constant.metrics, keys),
    better: Object.fromEntries([...primary].map(([task, info]) => [keyOf(task, info), info.better])),
    delta_m: Object.fromEntries(
      everything.flatMap(({ name, delta }) => (delta === undefined ? [] : [[name, delta]])),
    ),
  };
  const courses = weightCourses(shown);
  const sections = [
    measuredSection(experiment, shown, measured, constant, primary),
    search && searchSection(search),
    ...differencesSections(measured, primary),
    experiment.report.printed && printedSection(experiment.report.printed, primary, measured),
    weightsSection(courses),
  ].filter((section) => section !== undefined);
  const losses = [...damaged, ...rows.flatMap((row) => row.damaged ?? [])];
  sections[0].notes.push(...losses);
  const faults: Report['faults'] = [];
  const attempt = <T>(what: string, make: () => T): T | undefined => {
    try {
      return make();
    } catch (error) {
      faults.push({ what, error });
      return undefined;
    }
  };
  const plots = [
    attempt('picture weights', () => weightsPlot(courses)),
    attempt('picture cost', () => costPlot(measured)),
    ...(attempt('pictures of the search', () => (search ? searchPlots(search) : [])) ?? []),
  ].filter((plot) => plot !== undefined);
  const checked = attempt('check of report.expect', () =>
    checkExpectations(experiment.report.expect ?? {}, rows, everything, primary),
  );
  const style = { ...experiment.report.latex, ...latex };
  const inLatex = () => {
    const chosen = measuredSection(experiment, shown, measured, constant, primary, style);
    chosen.notes.push(...losses);
    return latexDocument([chosen, ...sections.slice(1)], style);
  };
  const pictures = plots.map(
    ({ name, title }) => `## ${markdownText(title)}\n\n![${markdownText(title)}](${name}.svg)\n`,
  );
  return {
    sections,
    measured,
    text: sections.map(textSection).join('\n\n') + '\n',
    markdown: [sections.map(markdownSection).join('\n\n') + '\n', ...pictures].join('\n'),
    latex: attempt('table in LaTeX', inLatex) ?? '',
    csv: csv(rows, groups),
    json,
    plots,
    checked: checked ?? [],
    faults,
  };
}

function textSection({ title, columns, rows, notes, footnotes = [] }: Section): string {
  const best = rows.some((row) => row.some((cell) => standingOf(cell) === 'best'));
  const legend = best ? ['* best of the column'] : [];
  const below = [...legend, ...numbered(footnotes), ...notes].map(oneLine);
  return [oneLine(title), '', textTable(columns, rows), ...spaced(below)].join('\n');
}

const markdownSection = ({ title, columns, rows, notes, footnotes = [] }: Section): string =>
  [
    `## ${markdownText(title)}`,
    '',
    markdownTable(columns, rows),
    ...spaced([...numbered(footnotes), ...notes].map(markdownText)),
  ].join('\n');

const numbered = (footnotes: readonly string[]): string[] =>
  footnotes.map((text, i) => `${superscripts([i + 1])} ${text}`);

/** Tables to be \input; the caption says what a reader has to know. */
function latexDocument(sections: readonly Section[], style: LatexConfig): string {
  const { best = 'bold', second = 'underline' } = style;
  const caption = (id: string, title: string) =>
    id === 'measured' && style.caption !== undefined ? style.caption : `${title}.`;
  return (
    '% needs \\usepackage{booktabs}\n' +
    sections
      .filter(({ id }) => id !== 'weights')
      .map(({ id, title, columns, rows, notes, footnotes = [] }) =>
        [
          '\\begin{table}',
          '\\centering',
          latexTable(columns, rows, { best, second }),
          `\\caption{${[
            ...[caption(id, title), ...notes].map(latexText),
            ...footnotes.map((text, i) => `$^{${i + 1}}$ ${latexText(text)}`),
          ].join(' ')}}`,
          `\\label{${latexLabel((id === 'measured' && style.label) || `tab:${id}`)}}`,
          '\\end{table}',
          '',
        ].join('\n'),
      )
      .join('\n')
  );
}

/** What \\ref can name. */
const latexLabel = (text: string): string => text.replace(/[^\w:.-]+/g, '-');

const spaced = (notes: readonly string[]): string[] => (notes.length > 0 ? ['', ...notes] : []);

function pick<T>(metrics: Record<string, T>, keys: readonly string[]): Record<string, T> {
  return Object.fromEntries(
    keys.filter((key) => Object.hasOwn(metrics, key)).map((key) => [key, metrics[key]]),
  );
}
