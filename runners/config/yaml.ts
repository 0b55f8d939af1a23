// Parses YAML text into nodes with positions. js-yaml scans and resolves; this file processes its events, because
// only events have offsets. Files contain one document, and keys are strings. Anchors and aliases work.
import {
  constructFromEvents,
  EVENT_ALIAS,
  EVENT_DOCUMENT,
  EVENT_MAPPING,
  EVENT_POP,
  EVENT_SCALAR,
  EVENT_SEQUENCE,
  parseEvents,
  SCALAR_STYLE,
  YAMLException,
  type Event,
  type ScalarEvent,
} from 'js-yaml';
import type { ReportFault } from './faults.js';
import { NO_KEY } from './keys.js';
import { hasTooManyValues, NODES } from './budgets.js';
import { sizeOf, type YamlEntry, type YamlNode } from './nodes.js';
import type { Mark, SourceText } from './source-text.js';

/** The document's node, or undefined after a fault that leaves nothing to work with. */
export function parseYaml(source: SourceText, report: ReportFault): YamlNode | undefined {
  if (hasTooManyValues(source.text)) {
    report({ mark: markOf(source, 0, 0), message: TOO_MANY, hint: TOO_MANY_HINT });
    return undefined;
  }
  let events: Event[];
  try {
    events = parseEvents(source.text, {});
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    report(syntaxFault(source, error));
    return undefined;
  }
  const documents = events.filter((event) => event.type === EVENT_DOCUMENT).length;
  if (documents === 0) {
    report({ mark: markOf(source, 0, 0), message: 'nothing is written here' });
    return undefined;
  }
  if (documents > 1) {
    const starts = [...source.text.matchAll(/^---/gm)].map(({ index }) => index);
    const [first] = events;
    const at = starts[first.type === EVENT_DOCUMENT && first.explicitStart ? 1 : 0] ?? 0;
    report({
      mark: markOf(source, at, at + 3),
      message: 'a second document begins here',
      hint: 'a file holds one experiment; put the other into a file of its own',
    });
    return undefined;
  }
  const node = new Builder(source, events, report).build();
  if (sizeOf(node) <= NODES) return node;
  report({ mark: node.mark, message: TOO_MANY, hint: TOO_MANY_HINT });
  return undefined;
}

const TOO_MANY = `more than ${NODES} keys and values are written here, aliases counted as often as they are used`;
const TOO_MANY_HINT = 'most experiments have a few hundred; a sweep makes many rows from little text';

function markOf(source: SourceText, start: number, end: number, path: readonly string[] = []): Mark {
  return { source, start, end, path };
}

/** Scalars that need no parser, which are most of them: words, and whole numbers of a few digits. */
const PLAIN_TEXT = /^(?!(?:null|true|false)$)[a-z][a-z0-9_./-]*$/;
const PLAIN_NUMBER = /^(?:0|[1-9]\d{0,14})$/;

class Builder {
  #next = 1; // past the document event
  readonly #anchors = new Map<string, YamlNode | 'open'>();

  constructor(
    private readonly source: SourceText,
    private readonly events: readonly Event[],
    private readonly report: ReportFault,
  ) {}

  build(): YamlNode {
    return this.#node([], markOf(this.source, 0, 0));
  }

  /** @param near what to point at if the node itself has no text: `key:` with nothing behind it */
  #node(path: readonly string[], near: Mark): YamlNode {
    const event = this.events[this.#next++];
    if (event.type === EVENT_ALIAS) return this.#alias(event, path);
    if (event.type === EVENT_SCALAR) return this.#anchored(event, this.#scalar(event, path, near));
    if (event.type !== EVENT_MAPPING && event.type !== EVENT_SEQUENCE)
      throw new Error(`unexpected YAML event ${event.type}`);
    const mark = markOf(this.source, event.start, event.start + 1, path);
    if (event.tagStart >= 0) this.#badTag(event, path);
    const anchor = this.#anchorName(event);
    if (anchor !== undefined) this.#anchors.set(anchor, 'open');
    const node = event.type === EVENT_MAPPING ? this.#map(path, mark) : this.#list(path, mark);
    return this.#anchored(event, node);
  }

  #map(path: readonly string[], mark: Mark): YamlNode {
    const entries = new Map<string, YamlEntry>();
    while (this.events[this.#next].type !== EVENT_POP) {
      const key = this.#node(path, mark);
      const name = this.#keyName(key);
      const below = name === undefined ? path : [...path, name];
      const keyMark: Mark = { ...key.mark, path: below };
      const value = this.#node(below, keyMark);
      if (name === undefined) continue;
      const first = entries.get(name);
      if (first) {
        this.report({
          mark: keyMark,
          message: `"${name}" is written twice in this map`,
          hint: `the first one is in ${this.#line(first.key)}; keep one of them`,
        });
        continue;
      }
      entries.set(name, { key: keyMark, value });
    }
    this.#next++;
    return { kind: 'map', entries, removed: new Map(), mark };
  }

  #list(path: readonly string[], mark: Mark): YamlNode {
    const items: YamlNode[] = [];
    while (this.events[this.#next].type !== EVENT_POP)
      items.push(this.#node([...path, String(items.length)], mark));
    this.#next++;
    return { kind: 'list', items, mark };
  }

  /** The key as a string; a key of another type is a fault. */
  #keyName(key: YamlNode): string | undefined {
    if (key.kind === 'scalar' && typeof key.value === 'string') {
      if (key.value !== '<<' && key.value !== NO_KEY) return key.value;
      this.report({
        mark: key.mark,
        message: `"${key.value}" cannot be a key`,
        hint:
          key.value === '<<'
            ? 'merge keys are not part of YAML 1.2; put what is shared into a file and name it in "extends"'
            : undefined,
      });
    } else {
      const shown = this.source.text.slice(key.mark.start, key.mark.end);
      this.report({
        mark: key.mark,
        message: 'keys must be strings',
        hint: key.kind === 'scalar' && shown.trim() !== '' ? `write "${shown}" in quotes` : undefined,
      });
    }
    return undefined;
  }

  #scalar(event: ScalarEvent, path: readonly string[], near: Mark): YamlNode {
    if (event.valueStart < 0 && event.tagStart < 0)
      return { kind: 'scalar', value: null, mark: { ...near, path } };
    const quoted = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED;
    const margin = quoted ? 1 : 0;
    const [start, end] =
      event.valueStart < 0
        ? [event.tagStart, event.tagEnd] // a tag with nothing behind it
        : [event.valueStart - margin, event.valueEnd + margin];
    const mark = markOf(this.source, start, end, path);
    return { kind: 'scalar', value: this.#scalarValue(event, mark), mark };
  }

  /** js-yaml decodes quotes and folds, and resolves plain text to a number, boolean or null (YAML 1.2 core). */
  #scalarValue(event: ScalarEvent, mark: Mark): string | number | boolean | null {
    if (event.style === SCALAR_STYLE.PLAIN && event.tagStart < 0) {
      const written = this.source.text.slice(event.valueStart, event.valueEnd);
      if (PLAIN_TEXT.test(written)) return written;
      if (PLAIN_NUMBER.test(written)) return Number(written);
    }
    const document = { type: EVENT_DOCUMENT, explicitStart: false, explicitEnd: false, directives: [] };
    try {
      const alone = { ...event, anchorStart: -1, anchorEnd: -1 };
      const [value] = constructFromEvents([document, alone, { type: EVENT_POP }], {
        source: this.source.text,
      });
      if (typeof value === 'number') this.#checkWhole(value, event, mark);
      if (value === null || ['string', 'number', 'boolean'].includes(typeof value))
        return value as string | number | boolean | null;
      this.report({ mark, message: 'this is not a string, number, boolean or null' });
    } catch (error) {
      if (!(error instanceof YAMLException)) throw error;
      if (event.tagStart >= 0) this.#badTag(event, mark.path);
      else this.report({ mark, message: `not valid YAML: ${error.reason}` });
    }
    return null;
  }

  /** A whole number beyond what a number holds exactly would silently be another one. */
  #checkWhole(value: number, { valueStart, valueEnd }: ScalarEvent, mark: Mark): void {
    const written = this.source.text.slice(valueStart, valueEnd);
    if (Number.isSafeInteger(value) || !/^[-+]?(\d+(\.0*)?|0[xo][\da-fA-F]+)$/.test(written)) return;
    this.report({
      mark,
      message: `${written.length > 40 ? 'this whole number' : written} is too large to be held exactly`,
      hint: 'whole numbers go up to 9007199254740991 (2^53 - 1); text of digits needs quotes',
    });
  }

  #line({ source, start }: Mark): string {
    return source.kind !== 'file' ? `the same ${source.kind}` : `line ${source.position(start).line}`;
  }

  #badTag({ tagStart, tagEnd }: { tagStart: number; tagEnd: number }, path: readonly string[]): void {
    this.report({
      mark: markOf(this.source, tagStart, tagEnd, path),
      message: `the tag ${this.source.text.slice(tagStart, tagEnd)} does not fit here`,
      hint: 'experiment files need no tags; leave it out',
    });
  }

  #alias(event: { anchorStart: number; anchorEnd: number }, path: readonly string[]): YamlNode {
    const name = this.source.text.slice(event.anchorStart, event.anchorEnd);
    const mark = markOf(this.source, event.anchorStart - 1, event.anchorEnd, path);
    const node = this.#anchors.get(name);
    if (node !== undefined && node !== 'open') return node;
    this.report({
      mark,
      message:
        node === 'open'
          ? `"*${name}" refers to a map or list that contains it`
          : `there is no anchor "&${name}" above`,
    });
    return { kind: 'scalar', value: null, mark };
  }

  #anchorName(event: { anchorStart: number; anchorEnd: number }): string | undefined {
    return event.anchorStart >= 0 ? this.source.text.slice(event.anchorStart, event.anchorEnd) : undefined;
  }

  #anchored(event: { anchorStart: number; anchorEnd: number }, node: YamlNode): YamlNode {
    const name = this.#anchorName(event);
    if (name !== undefined) this.#anchors.set(name, node);
    return node;
  }
}

/** The parser's complaints in other words, and what to do about them. */
const COMPLAINTS: readonly [pattern: RegExp, message: string, hint: string][] = [
  [/tab characters/, 'a tab indents this line', 'indent with spaces'],
  [
    /flow collection|deficient indentation|quoted scalar/,
    'something before this is not closed, or this line is not indented enough',
    'is a "]", a "}" or a closing quote missing?',
  ],
  [
    /multiline key|block mapping entry/,
    'a key goes over several lines',
    'is a ":" missing in the line above?',
  ],
  [
    /document separator/,
    'this line does not belong to the map or list above it',
    'a file is one map of "key: value" lines',
  ],
  [
    /bad indentation/,
    'this line does not belong to the map or list above it',
    'keys of one map start in the same column; text with ": " in it, or that begins with @ ` % & *, needs quotes',
  ],
];

function syntaxFault(source: SourceText, { reason, mark }: YAMLException) {
  // At the end of the file there is nothing to see; the last written line is where something is missing.
  const end = source.text.trimEnd().length;
  const start = Math.min(mark?.position ?? 0, end);
  const [, message, hint] = COMPLAINTS.find(([pattern]) => pattern.test(reason)) ?? [
    reason,
    reason,
    undefined,
  ];
  return { mark: markOf(source, start, start + 1), message: `not valid YAML: ${message}`, hint };
}
