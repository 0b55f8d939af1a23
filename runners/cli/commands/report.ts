// mtcp report
import type { Command } from 'commander';
import { join } from 'node:path';
import { messageOf, MtcpError } from '../../../registry/errors.js';
import { didYouMean } from '../../../registry/support/near.js';
import type { ExperimentReport } from '../../app/report.js';
import type { LatexConfig } from '../../config/index.js';
import { formatNumber } from '../../reporting/numbers.js';
import { writeOutput } from '../../support/files.js';
import { RUNS, choiceOf, experimentCommand, type RunsOptions } from '../flags.js';

export function declare(command: Command): void {
  experimentCommand(command)
    .description(
      'Reports on the trials in the folder of runs; nothing is trained. With --check every bound of report.expect in the file is compared with the results.',
    )
    .option(...RUNS)
    .option(
      '--format <format>',
      'table, md, latex, csv, json, html, bibtex, methods, methods-latex or figures',
      'table',
    )
    .option(
      '-o, --out <file>',
      'file to write; - is stdout. By default stdout; for html report.html and for figures the folder figures, both in the folder of these runs',
    )
    .option('--columns <names>', 'LaTeX: columns in this order, such as semseg.mIoU,depth.absRel,delta_m')
    .option('--rows <name...>', 'LaTeX: rows in this order')
    .option('--caption <text>', 'LaTeX: caption of the table')
    .option('--label <name>', 'LaTeX: label of the table')
    .option('--digits <n>', 'LaTeX: decimals of columns, such as semseg.mIoU=2,depth.RMSE=4')
    .option('--best <style>', 'LaTeX: style of the best value of a column: bold, underline or none')
    .option('--second <style>', 'LaTeX: style of the second best')
    .option('--significance <levels>', 'LaTeX: stars for p values below these, such as 0.05,0.01')
    .option('--against <row>', 'LaTeX: the row that stars compare with; the first if left out')
    .option(
      '--width <length>',
      'figures: width, such as 3.25in (a column), 84mm or 240pt; 3.25in if left out',
    )
    .option('--font <name>', 'figures: sans, serif, or the path of a .ttf or .otf file; serif if left out')
    .option('--font-size <points>', 'figures: size of text; 8 if left out')
    .option('--check', 'exit with 3 if an expectation does not hold')
    .addHelpText(
      'after',
      `
Examples:
  mtcp report experiments/table3.yaml --format html     one page to open in a browser or to send
  mtcp report experiments/table3.yaml --format latex -o table3.tex
  mtcp report experiments/table3.yaml --format methods-latex -o methods.tex
  mtcp report experiments/table3.yaml --format bibtex -o table3.bib   what the rows are from; methods.tex cites it
  mtcp report experiments/table3.yaml --format figures --width 6.9in -o figures/
  mtcp report experiments/table3.yaml --check           for continuous integration`,
    )
    .action(report);
}

const FORMATS = [
  'table',
  'md',
  'latex',
  'csv',
  'json',
  'html',
  'bibtex',
  'methods',
  'methods-latex',
  'figures',
] as const;
type Format = (typeof FORMATS)[number];

/** A number is not what the experiment says it should be. */
const UNEXPECTED = 3;

async function report(
  file: string,
  overrides: string[],
  options: RunsOptions & LatexFlags & FigureFlags & { format: string; out?: string; check?: boolean },
): Promise<void> {
  const { reportExperiment } = await import('../../app/report.js');
  const format = parseFormat(options.format);
  const { width, font, fontSize } = options;
  requireFormat('figures', { width, font, fontSize }, format);
  const made = reportExperiment(file, {
    ...choiceOf(options, overrides),
    runs: options.runs,
    latex: latexOf(options, format),
  });
  const { otherCodeNote } = await import('../../app/other-code.js');
  const note = otherCodeNote(options.runs, made.experiment.trials);
  if (note !== undefined) process.stderr.write(`${note}\n`);
  // Of what was asked for, a fault is not a warning.
  for (const { what, error } of made.faults.filter((fault) => fault.what !== IN_LATEX || format !== 'latex'))
    process.stderr.write(`warning: no ${what}: ${messageOf(error)}\n`);
  if (format === 'figures') {
    await writeFigures(made, options.out ?? join(made.folder, 'figures'), options);
    if (options.check) check(made, file);
    return;
  }
  const text = await render(made, format).catch((error: unknown) => {
    throw withFlag(error, options);
  });
  const path = options.out ?? (format === 'html' ? join(made.folder, 'report.html') : '-');
  if (path === '-') process.stdout.write(text);
  else {
    writeOutput(path, text);
    process.stderr.write(`${path}\n`);
  }
  if (options.check) check(made, file);
}

/** What a report calls its table in LaTeX. */
const IN_LATEX = 'table in LaTeX';

/** A fault of `report.latex` at the flag that said it, if one did. */
function withFlag(error: unknown, flags: LatexFlags): unknown {
  if (!MtcpError.is(error)) return error;
  const option = /^report\.latex\.(\w+)$/.exec(error.where ?? '')?.[1] as keyof LatexFlags | undefined;
  const value = option && flags[option];
  if (value === undefined) return error;
  const where = `argument "--${option} ${[value].flat().join(' ')}"`;
  return new MtcpError(error.kind, error.message, { where, hint: error.hint, cause: error });
}

function parseFormat(name: string): Format {
  const format = FORMATS.find((known) => known === name);
  if (format) return format;
  throw new MtcpError('usage', `there is no format "${name}"`, {
    where: `argument "--format ${name}"`,
    hint: didYouMean(name, FORMATS),
  });
}

/** As they were typed. */
interface LatexFlags {
  columns?: string;
  rows?: string[];
  caption?: string;
  label?: string;
  digits?: string;
  best?: string;
  second?: string;
  significance?: string;
  against?: string;
}

function latexOf(flags: LatexFlags, format: Format): LatexConfig {
  const { columns, rows, caption, label, digits, best, second, significance, against } = flags;
  const all = { columns, rows, caption, label, digits, best, second, significance, against };
  requireFormat('latex', all, format);
  return {
    ...(columns !== undefined && { columns: listOf(columns) }),
    ...(rows && { rows }),
    ...(caption !== undefined && { caption }),
    ...(label !== undefined && { label }),
    ...(digits !== undefined && { digits: parseDigits(digits) }),
    ...(best !== undefined && { best: parseStyle('best', best) }),
    ...(second !== undefined && { second: parseStyle('second', second) }),
    ...(significance !== undefined && { significance: parseLevels(significance) }),
    ...(against !== undefined && { against }),
  };
}

function requireFormat(wanted: Format, flags: Record<string, unknown>, format: Format): void {
  const given = Object.entries(flags).find(([, value]) => value !== undefined);
  if (given === undefined || format === wanted) return;
  const flag = given[0].replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new MtcpError('usage', `--${flag} is for --format ${wanted}`, {
    where: `argument "--format ${format}"`,
    hint: `add --format ${wanted}`,
  });
}

function parseLevels(text: string): number[] {
  const levels = listOf(text).map(Number);
  if (levels.every((level) => level > 0 && level < 1)) return levels;
  throw new MtcpError('usage', `"${text}" is not a list of levels of significance`, {
    where: `argument "--significance ${text}"`,
    hint: 'write p values, such as 0.05,0.01',
  });
}

const listOf = (text: string): string[] => text.split(',').map((part) => part.trim());

function parseDigits(text: string): Record<string, number> {
  const digits = listOf(text).map((part): [string, number] => {
    const [, key, count] = /^([^=]+)=(\d)$/.exec(part) ?? [];
    if (key !== undefined) return [key, Number(count)];
    throw new MtcpError('usage', `"${part}" is not a column with its decimals`, {
      where: `argument "--digits ${text}"`,
      hint: 'write semseg.mIoU=2,depth.RMSE=4',
    });
  });
  return Object.fromEntries(digits);
}

const STYLES = ['bold', 'underline', 'none'] as const;

function parseStyle(flag: string, text: string): (typeof STYLES)[number] {
  const style = STYLES.find((known) => known === text);
  if (style) return style;
  throw new MtcpError('usage', `"${text}" is not a style`, {
    where: `argument "--${flag} ${text}"`,
    hint: `one of ${STYLES.join(', ')}`,
  });
}

interface FigureFlags {
  width?: string;
  font?: string;
  fontSize?: string;
}

/** Points of a unit. */
const UNITS: Readonly<Record<string, number>> = { pt: 1, in: 72, mm: 72 / 25.4, cm: 72 / 2.54 };

function parseLength(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(pt|in|mm|cm)$/.exec(text) ?? [];
  const points = Number(number) * UNITS[unit];
  if (points >= 100 && points <= 2000) return points;
  throw new MtcpError('usage', `"${text}" is not the width of a figure`, {
    where: `argument "--width ${text}"`,
    hint: 'write a number and pt, in, mm or cm, such as 3.25in; from 100pt to 2000pt',
  });
}

function parseSize(text: string): number {
  const size = Number(text);
  if (size >= 4 && size <= 24) return size;
  throw new MtcpError('usage', `"${text}" is not a size of text`, {
    where: `argument "--font-size ${text}"`,
    hint: 'write points from 4 to 24, such as 8',
  });
}

/** Each figure as SVG and PDF. */
async function writeFigures(made: ExperimentReport, folder: string, flags: FigureFlags): Promise<void> {
  if (folder === '-')
    throw new MtcpError('usage', 'figures are written as several files', {
      where: 'argument "--out -"',
      hint: 'name a folder, such as -o figures/',
    });
  const { paperFont } = await import('../../drawing/pdf.js');
  const [width, size] = [parseLength(flags.width ?? '3.25in'), parseSize(flags.fontSize ?? '8')];
  const font = await paperFont(flags.font ?? 'serif');
  const figures = await made.figures({ width, size, font });
  if (figures.length === 0)
    throw new MtcpError('usage', 'there is nothing to draw yet', {
      where: 'argument "--format figures"',
      hint: 'train some rows first: mtcp run',
    });
  for (const { name, svg, pdf } of figures)
    for (const [ending, content] of [
      ['svg', svg],
      ['pdf', pdf],
    ] as const) {
      const path = join(folder, `${name}.${ending}`);
      writeOutput(path, content);
      process.stderr.write(`${path}\n`);
    }
}

async function render(made: ExperimentReport, format: Exclude<Format, 'figures'>): Promise<string> {
  switch (format) {
    case 'table':
      return made.text;
    case 'md':
      return made.markdown;
    case 'latex': {
      const fault = made.faults.find(({ what }) => what === IN_LATEX);
      if (fault) throw fault.error;
      return made.latex;
    }
    case 'csv':
      return made.csv;
    case 'html':
      return made.html();
    case 'bibtex':
      return made.bibtex();
    case 'methods':
      return made.methods().text;
    case 'methods-latex':
      return made.methods().latex;
    case 'json': {
      const { event: _event, ...table } = made.json;
      const trials = made.rows.map(({ trial, state, result, folder }) => ({
        row: trial.row,
        seed: trial.seed,
        hash: trial.hash,
        state,
        folder,
        result: result ?? null,
      }));
      return `${JSON.stringify({ ...table, rows: trials, expected: made.checked }, null, 2)}\n`;
    }
  }
}

function check({ checked, faults, experiment }: ExperimentReport, file: string): void {
  const broken = faults.find(({ what }) => what === 'check of report.expect');
  if (broken) throw broken.error;
  if (checked.length === 0)
    throw new MtcpError('usage', 'there is nothing to check', {
      where: 'argument "--check"',
      hint: `write report.expect into ${file}, for example { ${experiment.trials[0].row}: { delta_m: { min: 0 } } }`,
    });
  const wrong = checked.filter(({ holds }) => !holds);
  for (const { row, number, expected, actual, absent } of wrong)
    process.stderr.write(
      `${row}: ${number} is ${actual === undefined ? (absent === undefined ? 'not measured' : `undefined (${absent})`) : formatNumber(actual)}, expected ${expected}\n`,
    );
  process.stderr.write(`${checked.length - wrong.length} of ${checked.length} expectations hold\n`);
  if (wrong.length > 0) process.exitCode = UNEXPECTED;
}
