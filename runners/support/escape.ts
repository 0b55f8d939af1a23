// Escapes text from outside (names of rows, values in files, answers of servers) for formats with a syntax:
// terminals, Markdown, LaTeX, CSV, SVG; one function for each. Characters that would be invisible or act as commands
// are shown as escapes: a row called "a\u001b[2J" must not clear the reader's screen.

/**
 * Control characters (those of C1 act like escape sequences in some terminals), line and paragraph separators, and the
 * marks that reverse the direction of text, except newline and tab.
 */
const UNSEEN = /(?![\n\t])[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

const NAMES: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', '\r': '\\r' };

/** As JSON writes it, so that JSON stays what it is. */
const shown = (char: string): string =>
  NAMES[char] ?? `\\u${char.codePointAt(0)!.toString(16).padStart(4, '0')}`;

/** Text of several lines that a terminal shows and does not obey. */
export const printable = (text: string): string => text.replace(UNSEEN, shown);

/** The same in one line. */
export const oneLine = (text: string): string => printable(text).replace(/[\n\t]/g, shown);

/** Text within a line or a cell of Markdown: every sign that could mean something is itself. */
export const markdownText = (text: string): string => oneLine(text).replace(/[\\`*_[\]<>|~&$]/g, '\\$&');

const LATEX: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '↑': '$\\uparrow$',
  '↓': '$\\downarrow$',
  '±': '$\\pm$',
  '×': '$\\times$',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
  '|': '\\textbar{}',
  // After the end of a row, [ and * would belong to its \\.
  '[': '{[}',
  '*': '{*}',
};

/** Text of LaTeX. */
export const latexText = (text: string): string =>
  oneLine(text).replace(/[\\~^↑↓±×<>|[*]|[&%$#_{}]/g, (char) => LATEX[char] ?? `\\${char}`);

/** A field of CSV (RFC 4180); what a spreadsheet would take for a formula is put in quotes as text. */
export function csvField(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : '';
  const text = oneLine(value);
  const safe = /^[=+\-@]/.test(text) ? `'${text}` : text;
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Text of an SVG or HTML element, or of an attribute in double quotes; XML has no control characters at all. */
export const xmlText = (text: string): string =>
  printable(text).replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
