// Text with citations, written once and set twice: as plain text with names and years, and as LaTeX with \cite.
import { shortCitation, plainValue, type BibEntry } from '../../support/bibtex.js';
import { latexText, oneLine } from '../../support/escape.js';

/** Text, or keys of what is cited. */
export type Part = string | { cite: readonly string[] };

export interface Paragraph {
  title: string;
  /** Sentences, each of its parts. */
  sentences: readonly (readonly Part[])[];
}

export function plainProse(paragraphs: readonly Paragraph[], entries: readonly BibEntry[]): string {
  const byKey = new Map(entries.map((entry) => [entry.key, entry]));
  const set = (part: Part) => {
    if (typeof part === 'string') return oneLine(part);
    return part.cite.length === 0
      ? ''
      : ` (${part.cite.map((key) => shortCitation(byKey.get(key)!)).join('; ')})`;
  };
  const text = (parts: readonly Part[]) => parts.map(set).join('');
  return [
    ...paragraphs.flatMap(({ title, sentences }) => [`${title}. ${sentences.map(text).join(' ')}`, '']),
    ...(entries.length > 0 ? ['References', ''] : []),
    ...entries.map(referenceOf).sort((a, b) => a.localeCompare(b)),
    '',
  ].join('\n');
}

function referenceOf({ fields }: BibEntry): string {
  const { author = '', title = '', journal, booktitle, howpublished, year = 'n.d.' } = fields;
  const names = author.split(/\s+and\s+/).map((name) => {
    const [family, given] = plainValue(name).split(/,\s*/);
    return given === undefined ? family : `${given} ${family}`;
  });
  const shown = names.length > 3 ? `${names[0]} et al.` : names.join(', ');
  const venue = plainValue(journal ?? booktitle ?? howpublished ?? '');
  return `- ${[shown, plainValue(title), venue, year].filter(Boolean).join('. ').replaceAll('..', '.')}.`;
}

/** To be \input; keys are those of `--format bibtex`. */
export function latexProse(paragraphs: readonly Paragraph[]): string {
  const set = (part: Part) => {
    if (typeof part === 'string') return latexText(part);
    return part.cite.length === 0 ? '' : `~\\cite{${part.cite.join(',')}}`;
  };
  const text = (parts: readonly Part[]) => parts.map(set).join('');
  return paragraphs
    .map(({ title, sentences }) =>
      [`\\paragraph{${latexText(title)}.}`, ...sentences.map(text), ''].join('\n'),
    )
    .join('\n');
}

/** "a", "a and b", "a, b and c". */
export function listed(items: readonly string[]): string {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}
