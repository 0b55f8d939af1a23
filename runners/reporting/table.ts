// Tables as aligned text for a terminal, as Markdown, as LaTeX.
export interface Column {
  title: string;
  align?: 'left' | 'right';
}

/** Text; `best` where a reader should look first. */
export type Cell = string | { text: string; best: true };

export const textOf = (cell: Cell): string => (typeof cell === 'string' ? cell : cell.text);
const isBest = (cell: Cell): boolean => typeof cell !== 'string' && cell.best;

/** @param strong marks the best cells, which then all leave room for the mark */
export function textTable(
  columns: readonly Column[],
  cells: readonly (readonly Cell[])[],
  strong = (text: string): string => text,
): string {
  const marked = strong('') !== '' && cells.some((row) => row.some(isBest));
  const rows = cells.map((row) =>
    row.map((cell, c) =>
      !marked || columns[c].align !== 'right'
        ? textOf(cell)
        : isBest(cell)
          ? strong(textOf(cell))
          : `${textOf(cell)} `,
    ),
  );
  const widths = columns.map(({ title }, c) => Math.max(title.length, ...rows.map((row) => row[c].length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, c) => (columns[c].align === 'right' ? cell.padStart(widths[c]) : cell.padEnd(widths[c])))
      .join('  ')
      .trimEnd();
  return [
    line(columns.map(({ title }) => title)),
    widths.map((width) => '-'.repeat(width)).join('  '),
    ...rows.map(line),
  ].join('\n');
}

export function markdownTable(columns: readonly Column[], rows: readonly (readonly Cell[])[]): string {
  const escape = (cell: Cell) => {
    const text = textOf(cell).replace(/[\\|<>*_`[\]]/g, '\\$&');
    return isBest(cell) ? `**${text}**` : text;
  };
  const line = (cells: readonly Cell[]) => `| ${cells.map(escape).join(' | ')} |`;
  const rule = columns.map(({ align }) => (align === 'right' ? '--:' : '---'));
  return [line(columns.map(({ title }) => title)), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n');
}

const LATEX: Record<string, string> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '↑': '$\\uparrow$',
  '↓': '$\\downarrow$',
  '±': '$\\pm$',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
};

export const latexText = (text: string): string =>
  text.replace(/[\\~^↑↓±<>]|[&%$#_{}]/g, (char) => LATEX[char] ?? `\\${char}`);

/** A tabular with the rules of the booktabs package. */
export function latexTable(columns: readonly Column[], rows: readonly (readonly Cell[])[]): string {
  const cell = (value: Cell) =>
    isBest(value) ? `\\textbf{${latexText(textOf(value))}}` : latexText(textOf(value));
  const line = (cells: readonly Cell[]) => `  ${cells.map(cell).join(' & ')} \\\\`;
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
