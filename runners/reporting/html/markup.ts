// HTML templates that escape every value, so that a trial named <script> is shown as text.
import { xmlText } from '../../support/escape.js';

/** Markup that needs no escaping any more. */
export class Markup {
  constructor(readonly text: string) {}
  toString(): string {
    return this.text;
  }
}

type Part = string | number | undefined | false | Markup | readonly Part[];

export function markup(strings: TemplateStringsArray, ...parts: Part[]): Markup {
  return new Markup(strings.reduce((text, piece, i) => text + render(parts[i - 1]) + piece));
}

/** Markup from a source that is known to be whole, such as a drawn plot. */
export const trusted = (text: string): Markup => new Markup(text);

function render(part: Part): string {
  if (part === undefined || part === false) return '';
  if (part instanceof Markup) return part.text;
  if (typeof part === 'object') return part.map(render).join('');
  return xmlText(String(part));
}
