// What a person gets in the end: tables and pictures of an experiment, in the format that is asked for.
import type { Experiment } from '../config/index.js';
import type { TrialState } from '../store/ledger/run-folder.js';
import { csv } from './csv.js';
import { checkExpectations, type Checked } from './expect.js';
import { keyOf, measure, type MeasuredRow, type Primary, type RowResult } from './measure.js';
import { costPlot } from './plots/cost.js';
import type { Plot } from '../drawing/draw.js';
import { weightsPlot } from './plots/weights.js';
import {
  differencesSection,
  measuredSection,
  printedSection,
  weightCourses,
  weightsSection,
  type Section,
} from './sections.js';
import { latexTable, latexText, markdownTable, textTable } from './table.js';

export type { RowResult } from './measure.js';

export interface Report {
  sections: Section[];
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
  rows: { row: string; seed: number; state: TrialState; metrics: Record<string, number>; folder: string }[];
  /** The same keys as a row with all tasks has. */
  constant: Record<string, number>;
  /** Row to delta-m in percent, for rows that have every task of the baselines. */
  delta_m: Record<string, number>;
}

/** @param damaged files of the experiment that cannot be read; those of trials are said by the rows */
export function buildReport(
  experiment: Experiment,
  rows: readonly RowResult[],
  constant: Record<string, number>,
  primary: Primary,
  damaged: readonly string[] = [],
): Report {
  const keys = [...primary].map(([task, info]) => keyOf(task, info));
  const measured = measure(experiment, rows, primary);
  const constantRow = pick(constant, keys);
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
  const courses = weightCourses(rows);
  const sections = [
    measuredSection(experiment, rows, measured, constantRow, primary),
    differencesSection(measured, primary),
    experiment.report.printed && printedSection(experiment.report.printed, primary),
    weightsSection(courses),
  ].filter((section) => section !== undefined);
  sections[0].notes.push(...damaged, ...rows.flatMap((row) => row.damaged ?? []));
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
  ].filter((plot) => plot !== undefined);
  const checked = attempt('check of report.expect', () =>
    checkExpectations(experiment.report.expect ?? {}, rows, measured, primary),
  );
  const pictures = plots.map(({ name, title }) => `## ${title}\n\n![${title}](${name}.svg)\n`);
  return {
    sections,
    measured,
    text: sections.map(textSection).join('\n\n') + '\n',
    markdown: [sections.map(markdownSection).join('\n\n') + '\n', ...pictures].join('\n'),
    latex: latexDocument(sections),
    csv: csv(rows),
    json,
    plots,
    checked: checked ?? [],
    faults,
  };
}

const starred = (text: string): string => `${text}*`;

function textSection({ title, columns, rows, notes }: Section): string {
  const best = rows.some((row) => row.some((cell) => typeof cell !== 'string'));
  const legend = best ? ['* best of the column'] : [];
  return [title, '', textTable(columns, rows, starred), ...spaced([...legend, ...notes])].join('\n');
}

const markdownSection = ({ title, columns, rows, notes }: Section): string =>
  [`## ${title}`, '', markdownTable(columns, rows), ...spaced(notes)].join('\n');

/** Tables to be \input; the caption says what a reader has to know. */
function latexDocument(sections: readonly Section[]): string {
  return (
    '% needs \\usepackage{booktabs}\n' +
    sections
      .filter(({ id }) => id !== 'weights')
      .map(({ id, title, columns, rows, notes }) =>
        [
          '\\begin{table}',
          '\\centering',
          latexTable(columns, rows),
          `\\caption{${latexText([`${title}.`, ...notes].join(' '))}}`,
          `\\label{tab:${id}}`,
          '\\end{table}',
          '',
        ].join('\n'),
      )
      .join('\n')
  );
}

const spaced = (notes: readonly string[]): string[] => (notes.length > 0 ? ['', ...notes] : []);

function pick(metrics: Record<string, number>, keys: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    keys.filter((key) => Object.hasOwn(metrics, key)).map((key) => [key, metrics[key]]),
  );
}
