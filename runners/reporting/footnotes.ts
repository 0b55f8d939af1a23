// Numbers the footnotes of a table. Equal texts share a number.
export class Footnotes {
  readonly texts: string[] = [];

  /** The number of the note with this text, from 1. */
  mark(text: string): number {
    const known = this.texts.indexOf(text);
    return known >= 0 ? known + 1 : this.texts.push(text);
  }
}

const DIGITS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** Numbers of footnotes as superscripts, for text that has no other way to write them: ¹ʼ² */
export const superscripts = (marks: readonly number[] = []): string =>
  marks.map((mark) => [...String(mark)].map((digit) => DIGITS[Number(digit)]).join('')).join('ʼ');
