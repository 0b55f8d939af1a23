// Tables as aligned text for a terminal, as Markdown and as LaTeX. Cells hold plain text; each format escapes it.
import { latexText, markdownText, oneLine } from '../support/escape.js';
import { superscripts } from './footnotes.js';

export interface Column {
  title: string;
  align?: 'left' | 'right';
}

/** Text, perhaps with how it stands in its column, and numbers of footnotes. */
export type Cell = string | MarkedCell;

export interface MarkedCell {
  text: string;
  standing?: 'best' | 'second';
  marks?: readonly number[];
  /** Stars of significance; LaTeX shows them. */
  stars?: number;
}

export const textOf = (cell: Cell): string => (typeof cell === 'string' ? cell : cell.text);
export const marksOf = (cell: Cell): readonly number[] =>
  typeof cell === 'string' ? [] : (cell.marks ?? []);
export const standingOf = (cell: Cell): MarkedCell['standing'] =>
  typeof cell === 'string' ? undefined : cell.standing;

/** Marks the best cells with a star; marks stand behind the numbers, which stay aligned. */
export function textTable(columns: readonly Column[], cells: readonly (readonly Cell[])[]): string {
  const rows = cells.map((row) =>
    row.map((cell) => ({
      text: oneLine(textOf(cell)),
      trail: `${standingOf(cell) === 'best' ? '*' : ''}${superscripts(marksOf(cell))}`,
    })),
  );
  const titles = columns.map(({ title }) => oneLine(title));
  const trails = columns.map((_, c) => Math.max(0, ...rows.map((row) => row[c].trail.length)));
  const widths = titles.map((title, c) =>
    Math.max(title.length, ...rows.map((row) => row[c].text.length + trails[c])),
  );
  const line = (texts: readonly string[]) =>
    texts
      .map((text, c) => (columns[c].align === 'right' ? text.padStart(widths[c]) : text.padEnd(widths[c])))
      .join('  ')
      .trimEnd();
  return [
    line(titles),
    widths.map((width) => '-'.repeat(width)).join('  '),
    ...rows.map((row) =>
      line(
        row.map(({ text, trail }, c) =>
          columns[c].align === 'right' ? text + trail.padEnd(trails[c]) : text + trail,
        ),
      ),
    ),
  ].join('\n');
}

export function markdownTable(columns: readonly Column[], rows: readonly (readonly Cell[])[]): string {
  const shown = (cell: Cell) => {
    const text = markdownText(textOf(cell));
    return `${standingOf(cell) === 'best' ? `**${text}**` : text}${superscripts(marksOf(cell))}`;
  };
  const line = (cells: readonly Cell[]) => `| ${cells.map(shown).join(' | ')} |`;
  const rule = columns.map(({ align }) => (align === 'right' ? '--:' : '---'));
  return [line(columns.map(({ title }) => title)), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n');
}

export interface LatexStyle {
  /** How the best of a column is shown, and the second best. */
  best: 'bold' | 'underline' | 'none';
  second: 'bold' | 'underline' | 'none';
}

const LATEX_STYLE: LatexStyle = { best: 'bold', second: 'underline' };
const COMMANDS = { bold: '\\textbf', underline: '\\underline', none: '' } as const;

/** A tabular with the rules of the booktabs package. */
export function latexTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  style: LatexStyle = LATEX_STYLE,
): string {
  const shown = (cell: Cell) => {
    const text = latexText(textOf(cell));
    const standing = standingOf(cell);
    const command = standing ? COMMANDS[style[standing]] : '';
    const stars = typeof cell === 'string' ? 0 : (cell.stars ?? 0);
    const marks = [...(stars > 0 ? ['*'.repeat(stars)] : []), ...marksOf(cell)];
    return `${command ? `${command}{${text}}` : text}${marks.length > 0 ? `$^{${marks.join(',')}}$` : ''}`;
  };
  const line = (cells: readonly Cell[]) => `  ${cells.map(shown).join(' & ')} \\\\`;
  return [
    `\\begin{tabular}{${columns.map(({ align }) => (align === 'right' ? 'r' : 'l')).join('')}}`,
    '  \\toprule',
    line(columns.map(({ title }) => title)),
    '  \\midrule',
    ...rows.map(line),
    '  \\bottomrule',
    '\\end{tabular}',
  ].join('\n');
}

const BARS = '▁▂▃▄▅▆▇█';

/** A course of numbers as a line of bars, from `low` to `high`. */
export function sparkline(values: readonly number[], low: number, high: number): string {
  return values
    .map((value) => BARS[Math.max(0, Math.min(7, Math.floor(((value - low) / (high - low || 1)) * 8)))])
    .join('');
}
