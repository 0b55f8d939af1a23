// What a page shows about the marks of a plot. Vega writes the description of a mark beside it (`aria-label`); a plot says
// what these descriptions are and whose they are, and the page finds the marks by them.

export interface Mark {
  /** The row of the table that the mark belongs to, as it is called there. */
  row: string;
  /** What is shown of a point; absent for lines, labels and names. */
  text?: string;
}

export class Marks {
  readonly #known = new Map<string, Mark>();

  /** @returns the description that the mark is given */
  add(description: string, mark: Mark): string {
    this.#known.set(description, mark);
    return description;
  }

  get(description: string): Mark | undefined {
    return this.#known.get(description);
  }
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

const unescaped = (text: string): string =>
  text.replace(/&(?:#(\d+)|(\w+));/g, (whole, code: string | undefined, name: string) =>
    code === undefined ? (ENTITIES[name] ?? whole) : String.fromCharCode(Number(code)),
  );

/**
 * The drawing with attributes `data-row` (by `rowIndex`) and `data-about` (for xml) at the marks that are known.
 * @param escape for XML
 */
export function withMarks(
  svg: string,
  marks: Marks,
  rowIndex: (row: string) => number,
  escape: (text: string) => string,
): string {
  return svg.replace(/ aria-label="([^"]*)"/g, (whole, label: string) => {
    const mark = marks.get(unescaped(label));
    if (!mark) return whole;
    const about = mark.text === undefined ? '' : ` data-about="${escape(mark.text)}"`;
    return `${whole} data-row="${rowIndex(mark.row)}"${about}`;
  });
}
