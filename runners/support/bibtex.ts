// BibTeX: entries read from text, and written. Values are kept as they are, braces inside them included; @string and
// other commands are refused, because an entry must be complete by itself.
import { MtcpError } from '../../registry/errors.js';

export interface BibEntry {
  /** `article`, `inproceedings`, ... in lower case. */
  type: string;
  key: string;
  /** Names in lower case, in the order of the text. */
  fields: Record<string, string>;
}

const KEY = /^[A-Za-z][\w:.+/-]*$/;
const NAME = /[A-Za-z]\w*/y;
const SPACE = /\s*/y;

/**
 * Text outside of entries is a comment, as it is for BibTeX.
 * @param where the text is from, for errors
 * @throws MtcpError `component` that names the line
 */
export function parseBibtex(text: string, where: string): BibEntry[] {
  const entries: BibEntry[] = [];
  let at = 0;
  const fail = (message: string): never => {
    const line = text.slice(0, at).split('\n').length;
    throw new MtcpError('component', `BibTeX: ${message}`, {
      where: `${where}:${line}`,
      hint: 'write @article{key, author = {...}, title = {...}, year = {...}}',
    });
  };
  const match = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? '';
    at += found.length;
    return found;
  };
  const expect = (char: string): void => {
    match(SPACE);
    if (text[at] !== char) fail(`"${char}" is missing`);
    at++;
  };
  const value = (): string => {
    match(SPACE);
    const open = text[at];
    if (open !== '{' && open !== '"') return match(/\d+/y) || fail('a value is in braces or in quotes');
    const start = ++at;
    for (let depth = 0; at < text.length; at++) {
      if (text[at] === '\\') at++;
      else if (depth === 0 && text[at] === (open === '{' ? '}' : '"')) break;
      else if (text[at] === '{') depth++;
      else if (text[at] === '}') depth--;
    }
    if (at >= text.length) fail('a value has no end');
    return text.slice(start, at++).replace(/\s+/g, ' ').trim();
  };
  for (let next = text.indexOf('@'); next >= 0; next = text.indexOf('@', at)) {
    at = next + 1;
    const type = match(NAME).toLowerCase();
    if (type === '' || ['string', 'preamble', 'comment'].includes(type)) fail(`"@${type}" is not an entry`);
    expect('{');
    match(SPACE);
    const key = match(/[^\s,{}"]*/y);
    if (!KEY.test(key)) fail(`"${key}" is not a key`);
    const fields: Record<string, string> = {};
    for (;;) {
      match(SPACE);
      if (text[at] === ',') at++;
      match(SPACE);
      if (text[at] === '}') break;
      const name = match(NAME).toLowerCase();
      if (name === '') fail(`entry "${key}" has no end`);
      if (Object.hasOwn(fields, name)) fail(`entry "${key}" has two fields "${name}"`);
      expect('=');
      fields[name] = value();
      match(SPACE);
      if (text[at] !== ',' && text[at] !== '}') fail(`"," is missing after "${name}" of "${key}"`);
    }
    at++;
    entries.push({ type, key, fields });
  }
  return entries;
}

export const bibtexOf = ({ type, key, fields }: BibEntry): string =>
  [
    `@${type}{${key},`,
    ...Object.entries(fields).map(([name, value]) => `  ${name} = {${value}},`),
    '}',
    '',
  ].join('\n');

const ACCENTS: Readonly<Record<string, string>> = {
  '"': '\u0308',
  "'": '\u0301',
  '`': '\u0300',
  '^': '\u0302',
  '~': '\u0303',
};
const LETTERS: Readonly<Record<string, string>> = { o: 'ø', O: 'Ø', ss: 'ß', ae: 'æ', i: 'i' };

/** A value as plain text: accents as letters, without braces. */
export const plainValue = (value: string): string =>
  value
    .replace(/\{?\\(["'`^~])\{?\\?([A-Za-z])\}?\}?/g, (_, accent: string, letter: string) =>
      (letter + ACCENTS[accent]).normalize('NFC'),
    )
    .replace(/\{?\\(ss|ae|[oOi])(?![A-Za-z])\}?/g, (_, name: string) => LETTERS[name])
    .replace(/``|''/g, '"')
    .replace(/---?/g, '-')
    .replace(/[{}]/g, '')
    .replace(/\\([&%$#_])/g, '$1');

/** Family names of the authors. */
export const familiesOf = ({ fields }: BibEntry): string[] =>
  (fields.author ?? '').split(/\s+and\s+/).map((name) => {
    // An organisation is in braces and has one name.
    if (/^\{.*\}$/.test(name)) return plainValue(name);
    return plainValue(name.includes(',') ? name.split(',')[0] : name.split(/\s+/).at(-1)!);
  });

/** "Cheng et al., 2022". */
export function shortCitation(entry: BibEntry): string {
  const [first, second, third] = familiesOf(entry);
  const names =
    third !== undefined ? `${first} et al.` : second !== undefined ? `${first} and ${second}` : first;
  return `${names}, ${entry.fields.year ?? 'n.d.'}`;
}
