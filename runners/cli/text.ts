// Text for a terminal: wrapped to its width, and columns of which the last one wraps.
const NARROWEST = 30;

export const thousands = (n: number): string => n.toLocaleString('en-US');

/** Columns to write in: those of the terminal, 100 where there is none. */
export function lineWidth(): number {
  return Math.max(60, Math.min(process.stdout.columns ?? 100, 120));
}

export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

export function indented(text: string, indent: number): string {
  return wrap(text, lineWidth() - indent)
    .map((line) => ' '.repeat(indent) + line)
    .join('\n');
}

/** Rows in aligned columns; where too little room is left for the last one, it has lines of its own. */
export function columns(rows: readonly (readonly string[])[], indent: number): string {
  const count = rows[0].length;
  const widths = Array.from({ length: count - 1 }, (_, c) => Math.max(...rows.map((row) => row[c].length)));
  const margin = ' '.repeat(indent);
  const left = indent + widths.reduce((sum, width) => sum + width + 2, 0);
  const room = lineWidth() - left;
  const below = room < NARROWEST;
  return rows
    .map((row) => {
      const first = margin + widths.map((width, c) => row[c].padEnd(width)).join('  ');
      const last = wrap(row[count - 1], below ? lineWidth() - indent - 4 : room);
      if (below) return [first.trimEnd(), ...last.map((line) => `${margin}    ${line}`)].join('\n');
      return last.map((line, i) => `${i === 0 ? first : ' '.repeat(left - 2)}  ${line}`).join('\n');
    })
    .join('\n');
}

/** What a successive-halving search decided about a trial. */
export const rungText = ({
  epoch,
  rank,
  of,
  kept,
}: {
  epoch: number;
  rank: number;
  of: number;
  kept: boolean;
}): string => `after epoch ${epoch}: place ${rank} of ${of} at this rung${kept ? '' : ', so it ends here'}`;
