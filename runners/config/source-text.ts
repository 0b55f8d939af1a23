// Texts and positions in them. A SourceText is an experiment file, a command-line argument or the value of an
// environment variable. A Mark is a range of one. Every node of a composed configuration has the mark of what wrote
// it.

export interface Mark {
  readonly source: SourceText;
  /** Offsets into the source's text, end exclusive. */
  readonly start: number;
  readonly end: number;
  /** Keys from the root of that file (or argument) down to here. */
  readonly path: readonly string[];
  /** The variable that filled in what is written here. */
  readonly filled?: Filled;
}

export interface Filled {
  /** As it is used: `${name}`. */
  readonly name: string;
  /** Who set the variable. */
  readonly mark: Mark;
  /** Whether the text begins with the variable: then a relative path is the variable's. */
  readonly leads: boolean;
}

export class SourceText {
  readonly #lineStarts: number[];

  constructor(
    /** How people see it: a path relative to the working directory, or `argument "..."`. */
    readonly label: string,
    readonly text: string,
    /** Absolute folder that relative paths written here are meant from. */
    readonly folder: string,
    readonly kind: 'file' | 'plugin' | 'argument' | 'environment',
    /** The `extends` or `plugins` entry that brought this file in. */
    readonly extendedBy?: Mark,
  ) {
    this.#lineStarts = [0];
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.#lineStarts.push(at + 1);
  }

  /** Line and column of an offset, both from 1. */
  position(offset: number): { line: number; column: number } {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.#lineStarts[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - this.#lineStarts[low] + 1 };
  }

  /** Whether it is text in a file, which has lines. */
  get hasLines(): boolean {
    return this.kind === 'file' || this.kind === 'plugin';
  }

  /** The reverse of `position`. */
  offset(line: number, column: number): number {
    return Math.min(this.text.length, (this.#lineStarts[line - 1] ?? this.text.length) + column - 1);
  }

  /** Text of a line (from 1) without its line end; undefined past the end of the file. */
  line(number: number): string | undefined {
    if (number < 1 || number > this.#lineStarts.length) return undefined;
    const text = this.text.slice(this.#lineStarts[number - 1], this.#lineStarts[number] ?? this.text.length);
    return text.replace(/\r?\n$/, '');
  }
}

/** The folder that a relative path is meant from. */
export function folderOf({ source, filled }: Mark): string {
  return filled?.leads ? folderOf(filled.mark) : source.folder;
}

/** `file:line:col`, `argument "..."` or `environment variable NAME`. */
export function where({ source, start }: Mark): string {
  if (!source.hasLines) return source.label;
  const { line, column } = source.position(start);
  return `${source.label}:${line}:${column}`;
}

const WIDEST = 100;

/** The marked line between its neighbours with carets under the mark; nothing for an argument. */
export function frame({ source, start, end }: Mark): string | undefined {
  if (!source.hasLines) return undefined;
  const { line, column } = source.position(start);
  const width = String(line + 1).length + 1;
  // A line too long for a terminal is shown from a little before the mark.
  const text = source.line(line) ?? '';
  const from = text.length > WIDEST ? Math.max(0, Math.min(column - 40, text.length - WIDEST)) : 0;
  const show = (number: number, content: string) =>
    `${number === line ? '>' : ' '} ${String(number).padStart(width - 1)} | ${clip(content, from)}`;
  const lines: string[] = [];
  for (let number = line - 1; number <= line + 1; number++) {
    const content = source.line(number);
    if (content === undefined) continue;
    lines.push(show(number, content));
    if (number !== line) continue;
    const carets = Math.max(1, Math.min(end - start, text.length - column + 1, from + WIDEST - column + 1));
    lines.push(`  ${' '.repeat(width - 1)} | ${' '.repeat(column - 1 - from)}${'^'.repeat(carets)}`);
  }
  return lines.join('\n');
}

/** WIDEST characters of a line; tabs count as one column, as they do in the offsets. */
function clip(text: string, from: number): string {
  return text.slice(from, from + WIDEST).replaceAll('\t', ' ');
}
