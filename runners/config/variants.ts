// Variants of rows. Arguments that change a row make another trial of it; its name says what differs: "MT-CP, spread=7.5".
// Arguments that set what the row has anyway, and those that do not count for a result (threads, folders), name nothing.
import { isDeepStrictEqual } from 'node:util';
import { isPlainObject } from '../../registry/options.js';
import { own } from '../../registry/own.js';
import type { LatexConfig, ReportConfig } from './experiment.js';
import type { YamlMap, YamlNode } from './nodes.js';
import { shortLabelOf, shortNames, variantName } from './row-names.js';
import { referencesOf } from './sources.js';
import { NOT_HASHED, type TrialConfig } from './trial.js';
import type { Draft } from './validate.js';

/** A trial as far as names are concerned: its configuration, and where that holds paths of files. */
interface Filled {
  readonly config: unknown;
  readonly paths: readonly (readonly string[])[];
}

/**
 * Row to the name of its variant; rows that no argument changes keep their names.
 * @param filled the trial of a draft with all defaults
 * @param plain the same without arguments; undefined if it is not valid without them
 * @param swept paths that already have a name
 */
export function variantNames(
  drafts: readonly Draft[],
  swept: Iterable<string>,
  filled: (draft: Draft) => Filled,
  plain: (draft: Draft) => Filled | undefined,
): Map<string, string> {
  const taken = new Set(drafts.map(({ row }) => row));
  const sweptPaths = [...swept];
  const names = new Map<string, string>();
  for (const draft of drafts) {
    const parts = draft.overrides.length > 0 ? differing(draft, filled(draft), plain(draft), sweptPaths) : [];
    let name = variantName(draft.row, parts);
    // A row of the file may have this very name.
    while (parts.length > 0 && taken.has(name)) name += ' (argument)';
    taken.add(name);
    names.set(draft.row, name);
  }
  return names;
}

function differing(
  draft: Draft,
  filled: Filled,
  plain: Filled | undefined,
  swept: readonly string[],
): string[] {
  const ignored = [...NOT_HASHED, ...filled.paths].map((path) => path.join('.'));
  const isIgnored = (path: string) => ignored.some((other) => `${path}.`.startsWith(`${other}.`));
  const values = new Map<string, YamlNode>();
  for (const layer of draft.overrides) {
    const { path, value } = argumentOf(layer);
    values.delete(path.join('.'));
    values.set(path.join('.'), value);
  }
  const counts = [...values].filter(([path]) => {
    // What a variable changes may be anywhere.
    if (path.startsWith('variables.')) return true;
    if (isIgnored(path)) return false;
    const keys = path.split('.');
    return !plain || !isDeepStrictEqual(valueAt(filled.config, keys), valueAt(plain.config, keys));
  });
  const paths = counts.map(([path]) => path);
  const names = shortNames([...paths, ...swept]);
  // In an order that does not depend on that of the arguments.
  return counts
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, value]) => `${names.get(path)}=${shortLabelOf(value)}`);
}

/** The path that an argument names, and its value. Marks of its keys hold the path so far; those inside the value do not. */
function argumentOf(layer: YamlMap): { path: string[]; value: YamlNode } {
  const path: string[] = [];
  let value: YamlNode = layer;
  while (value.kind === 'map' && value.entries.size === 1) {
    const [[name, entry]]: [string, { key: { path: readonly string[] }; value: YamlNode }][] = [
      ...value.entries,
    ];
    if (entry.key.path.length !== path.length + 1) break;
    path.push(name);
    value = entry.value;
  }
  return { path, value };
}

function valueAt(root: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, key) => (isPlainObject(at) ? own(at, key) : undefined), root);
}

/** A configuration whose references to other rows have their names as variants. */
export function renameReferences(config: TrialConfig, nameOf: (row: string) => string): TrialConfig {
  if (referencesOf({ ...config }).every(({ row }) => nameOf(row) === row)) return config;
  const { weights, auxiliary } = config;
  return {
    ...config,
    weights: { ...weights, rows: mapValues(weights.rows, nameOf) },
    auxiliary: mapValues(auxiliary, (loss) => ({
      ...loss,
      teacher: loss.teacher === null ? null : nameOf(loss.teacher),
    })),
  };
}

/** What a report says about rows, by their names as variants. */
export function renameReport(report: ReportConfig, nameOf: (row: string) => string): ReportConfig {
  const byRow = <T>(rows: Record<string, T>): Record<string, T> =>
    Object.fromEntries(Object.entries(rows).map(([row, value]) => [nameOf(row), value]));
  const { delta_m, printed, expect, latex } = report;
  const style = (config: LatexConfig): LatexConfig => ({
    ...config,
    ...(config.rows && { rows: config.rows.map(nameOf) }),
    ...(config.against !== undefined && { against: nameOf(config.against) }),
  });
  return {
    ...report,
    ...(delta_m && { delta_m: mapValues(delta_m, nameOf) }),
    ...(printed && { printed: { ...printed, rows: byRow(printed.rows) } }),
    ...(latex && { latex: style(latex) }),
    ...(expect && {
      expect: mapValues(byRow(expect), (numbers) =>
        mapValues(numbers, (wanted) =>
          wanted.better_than === undefined ? wanted : { ...wanted, better_than: nameOf(wanted.better_than) },
        ),
      ),
    }),
  };
}

const mapValues = <A, B>(map: Record<string, A>, change: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]));
