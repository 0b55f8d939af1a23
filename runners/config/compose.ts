// An experiment file and everything it extends, as layers. Nothing is merged early: a row that three files
// have something to say about is three overlays in a row, so that composing means one thing everywhere:
//
//   extended files in order (each after what it extends) -> the file -> row -> sweep -> path=value
//
// where a file is its trial sections and then its own overlay of the chosen profile: what a file writes counts more than
// any profile that it inherits. Then variables are filled in.
import { readdirSync } from 'node:fs';
import { basename, dirname, relative, resolve } from 'node:path';
import { didYouMean, nearestNames } from '../../registry/support/near.js';
import { own } from '../../registry/own.js';
import { readText } from '../../registry/support/plain-file.js';
import { typedFile, type BareForm } from './bare.js';
import type { Combination, ReportFault } from './faults.js';
import { NOT_SECTIONS } from './keys.js';
import { FILE_BYTES, FILES, NODES } from './budgets.js';
import { merge, mergeAll } from './merge.js';
import { child, isNull, sizeOf, text, type YamlMap, type YamlNode } from './nodes.js';
import { SourceText, type Mark } from './source-text.js';
import { expandSweep, type Overlays, type SearchContext, type Swept } from './sweep.js';
import { fillVariables, type FillBudget } from './variables.js';
import { parseYaml } from './yaml.js';

export interface Composition {
  /** As read, the file itself first. */
  readonly sources: readonly SourceText[];
  /** The root maps of all files as written, in the order in which they apply. */
  readonly files: readonly YamlMap[];
  /** After the sweep. */
  readonly rows: Overlays;
  readonly profiles: Overlays;
  readonly sweep: Swept;
  /** Everything but rows and profiles, merged. */
  readonly root: YamlMap;
}

/**
 * Reads `file` and what it extends. Undefined if one of them cannot be read or parsed.
 * @param overrides what the command line changes in the experiment itself
 * @param forms slots that need no type
 */
export function compose(
  file: string,
  report: ReportFault,
  overrides: readonly YamlMap[] = [],
  forms: readonly BareForm[] = [],
  searching?: (experiment: string | undefined) => SearchContext,
): Composition | undefined {
  const reader = new Reader(report, forms);
  reader.read(resolve(file), undefined, []);
  if (reader.failed) return undefined;
  const files = reader.maps;
  const root = mergeAll(files.at(-1)!.mark, [...files.map(withoutOverlays), ...overrides]);
  const written = overlays('rows', files, report);
  // A search keeps the row that it varies, so that row needs a name.
  const alone = child(child(root, 'sweep'), 'search') ? (text(root, 'name') ?? 'default') : '';
  const base: Overlays = written.size > 0 ? written : new Map([[alone, []]]);
  const sweep = expandSweep(child(root, 'sweep'), base, report, searching?.(text(root, 'name')));
  const rows = new Map([...sweep.rows].filter(([name]) => name !== ''));
  return { sources: reader.sources, files, rows, profiles: overlays('profiles', files, report), sweep, root };
}

/** The trial sections of one row under one profile, merged; variables are still to be filled in. */
export function mergeTrial(
  composition: Composition,
  { row, profile }: Combination,
  overrides: readonly YamlMap[],
): YamlMap {
  const { rows, root } = composition;
  return [...(rows.get(row) ?? []), ...overrides].reduce(merge, base(composition, profile, root.mark));
}

/** `merged` with variables filled in. */
export const fillTrial = (merged: YamlMap, report: ReportFault, budget: FillBudget): YamlMap =>
  fillVariables(merged, report, process.env, budget);

const bases = new WeakMap<Composition, Map<string | null, YamlMap>>();

/** What all rows have in common under a profile: file by file the trial sections and the profile. */
function base(composition: Composition, profile: string | null, mark: Mark): YamlMap {
  const known = bases.get(composition) ?? new Map<string | null, YamlMap>();
  bases.set(composition, known);
  const made = known.get(profile);
  if (made) return made;
  const overlays = profile === null ? [] : (composition.profiles.get(profile) ?? []);
  const layers = composition.files.flatMap((file) => [
    sections(file),
    ...overlays.filter((overlay) => overlay.mark.source === file.mark.source),
  ]);
  const merged = mergeAll(mark, layers);
  known.set(profile, merged);
  return merged;
}

/** The part of a file's root map that belongs to its trials, and its variables. */
export function sections(root: YamlMap): YamlMap {
  return without(root, NOT_SECTIONS);
}

function withoutOverlays(root: YamlMap): YamlMap {
  return without(root, new Set(['rows', 'profiles', 'extends']));
}

function without(map: YamlMap, names: ReadonlySet<string>): YamlMap {
  const keep = <T>(items: ReadonlyMap<string, T>) => new Map([...items].filter(([name]) => !names.has(name)));
  return { ...map, entries: keep(map.entries), removed: keep(map.removed) };
}

function overlays(section: 'rows' | 'profiles', files: readonly YamlMap[], report: ReportFault): Overlays {
  const what = section.slice(0, -1);
  const layers = new Map<string, YamlMap[]>();
  for (const file of files) {
    const named = child(file, section);
    if (named && isNull(named)) layers.clear();
    if (named?.kind !== 'map') continue;
    for (const [name, { key, value }] of named.entries) {
      const fault = faultInName(name);
      if (fault) report({ mark: key, message: `the name of a ${what} ${fault}`, hint: NAMES });
      if (value.kind === 'map') layers.set(name, [...(layers.get(name) ?? []), value]);
      if (!isNull(value) || layers.delete(name)) continue;
      const near = nearestNames(name, layers.keys());
      report({
        mark: key,
        message: `there is no ${what} "${name}" to remove`,
        hint: near.length > 0 ? didYouMean(name, near) : `for a ${what} without changes write {}`,
      });
    }
  }
  return layers;
}

const NAMES = 'names are for people: letters, digits and signs on one line, such as "MT-CP w/o CFM"';

/** Tables, folders, --row and --profile all show the name. */
function faultInName(name: string): string | undefined {
  if (name.trim() === '') return 'is empty';
  return /\p{Cc}/u.test(name) ? 'has a line break or another control character' : undefined;
}

class Reader {
  readonly sources: SourceText[] = [];
  readonly maps: YamlMap[] = [];
  readonly #done = new Set<string>();
  #nodes = 0;
  failed = false;

  constructor(
    private readonly report: ReportFault,
    private readonly forms: readonly BareForm[],
  ) {}

  /** @param trail files that are being extended right now, outermost first */
  read(file: string, extendedBy: Mark | undefined, trail: readonly string[]): void {
    if (trail.includes(file)) {
      const names = [...trail.slice(trail.indexOf(file)), file].map(display);
      this.#fail(extendedBy!, `this file extends itself: ${names.join(' -> ')}`);
      return;
    }
    if (this.#done.has(file)) return; // a file that is reached twice counts once, at its first position
    if (this.sources.length >= FILES) {
      this.#fail(extendedBy!, `an experiment has more than ${FILES} files`);
      return;
    }
    const text = this.#text(file, extendedBy);
    if (text === undefined) return;
    const source = new SourceText(display(file), text, dirname(file), 'file', extendedBy);
    this.sources.push(source);
    const unread = text.indexOf(UNREAD);
    if (unread >= 0) {
      const mark = { source, start: unread, end: unread + 1, path: [] };
      this.#fail(mark, 'this character cannot be read: the file is not in UTF-8', 'save it as UTF-8 text');
      return;
    }
    const root = this.#root(source);
    if (!root) return;
    this.#nodes += sizeOf(root);
    if (this.#nodes > NODES) {
      this.#fail(
        extendedBy ?? root.mark,
        `with this file the experiment has more than ${NODES} keys and values`,
      );
      return;
    }
    for (const { name, mark } of extendedFiles(root).slice(0, FILES + 1))
      this.read(resolve(dirname(file), name), mark, [...trail, file]);
    this.#done.add(file);
    this.maps.push(typedFile(root, this.forms, this.report));
  }

  #root(source: SourceText): YamlMap | undefined {
    let broken = false;
    const node = parseYaml(source, (fault) => {
      broken = true;
      this.report(fault);
    });
    if (node?.kind === 'map' && !broken) return node;
    if (node && node.kind !== 'map') this.#fail(node.mark, 'an experiment file is a map: "key: value" lines');
    this.failed = true;
    return undefined;
  }

  #text(file: string, extendedBy: Mark | undefined): string | undefined {
    try {
      return readText(file, { kind: 'config', limit: FILE_BYTES });
    } catch (error) {
      const { code = '' } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
      const { message } = error as Error;
      const reason = own(READ_FAULTS, code) ?? `this ${message}`;
      this.#fail(
        extendedBy ?? markOfWhole(display(file)),
        `${extendedBy ? `"${display(file)}": ` : ''}${reason}`,
        hintFor(file, extendedBy !== undefined),
      );
      return undefined;
    }
  }

  #fail(mark: Mark, message: string, hint?: string): void {
    this.failed = true;
    this.report({ mark, message, hint });
  }
}

/** What decoding writes for bytes that are not UTF-8: those of a binary file, of Latin-1, of UTF-16. */
const UNREAD = '\uFFFD';

const READ_FAULTS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EISDIR: 'this is a folder, not a file',
  EACCES: 'this file may not be read',
};

/** The files that a root map names in `extends`; anything else there is the schema's to complain about. */
function extendedFiles(root: YamlMap): { name: string; mark: Mark }[] {
  const value = child(root, 'extends');
  const named: readonly YamlNode[] = value?.kind === 'list' ? value.items : value ? [value] : [];
  return named.flatMap((node) =>
    node.kind === 'scalar' && typeof node.value === 'string' ? [{ name: node.value, mark: node.mark }] : [],
  );
}

/** Relative to the working directory if it is inside it. */
export function display(file: string): string {
  const short = relative(process.cwd(), file);
  return short.startsWith('..') || short === '' ? file : short;
}

/** Files that are worth listing. */
const FEW = 12;

/** What to do about a file that cannot be read. */
function hintFor(file: string, extended: boolean): string | undefined {
  const near = nearFiles(file);
  if (near.length > 0) return didYouMean(basename(file), near);
  const there = filesIn(dirname(file));
  if (there.length > 0) return there.length > FEW ? undefined : `there are: ${there.join(', ')}`;
  return extended ? undefined : 'mtcp new experiment NAME writes one';
}

/** Names in the same folder that look like this one. */
export function nearFiles(file: string, type = YAML): string[] {
  return nearestNames(basename(file), filesIn(dirname(file), type));
}

const YAML = /\.ya?ml$/;

function filesIn(folder: string, type = YAML): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => type.test(name))
      .sort();
  } catch {
    return []; // there is no such folder either
  }
}

/** Points at something as a whole that has no text of its own to show. */
export function markOfWhole(label: string): Mark {
  return { source: new SourceText(label, '', process.cwd(), 'argument'), start: 0, end: 0, path: [] };
}
