// Resolved trials as YAML for readers: as a complete file, and as the differences between rows.
import { isDeepStrictEqual } from 'node:util';
import { crc32 } from 'node:zlib';
import { dump } from 'js-yaml';
import { isPlainObject } from '../../registry/options.js';
import { withSources } from './sources.js';
import type { TrialSpec } from './trial.js';
import { escapeVariables } from './variable-uses.js';
import { own } from '../../registry/own.js';

/**
 * An experiment file with nothing left to compose; its first trial has the same hash. The rows that the trial depends on
 * come after it.
 */
export function writeResolved(trial: TrialSpec): string {
  const { experiment, row, seed, config, hash, plugins } = trial;
  const sources = withSources([trial]).filter((other) => other !== trial);
  const overlays = sources.map((other) => [other.row, overlay(config, other.config)] as const);
  const body = dump(
    {
      name: experiment,
      ...(plugins.length > 0 && { plugins: [...plugins] }),
      seeds: [seed],
      rows: { [row]: {}, ...escaped(Object.fromEntries(overlays)) },
      ...escaped(config),
    },
    { lineWidth: 110, noRefs: true },
  );
  // A name may hold a line end, which would end the comment.
  const about = `${experiment}, row ${JSON.stringify(row)}, seed ${seed}, trial ${hash.slice(0, 12)}`;
  return `# ${about}: all defaults filled in\n# checksum ${checksumOf(body)}\n${body}`;
}

const CHECKSUM = /^# checksum ([0-9a-f]{8})\n/m;

const checksumOf = (body: string): string => crc32(body).toString(16).padStart(8, '0');

/** Whether a resolved configuration is still what was written; also true for one that has no checksum. */
export function isAsWritten(resolved: string): boolean {
  const found = CHECKSUM.exec(resolved);
  return !found || checksumOf(resolved.slice(found.index + found[0].length)) === found[1];
}

/** What makes `wanted` of `base` by the rules of composition. */
function overlay(base: unknown, wanted: unknown): unknown {
  if (!isPlainObject(base) || !isPlainObject(wanted) || base.type !== wanted.type) return wanted;
  const gone = Object.keys(base).filter((key) => !Object.hasOwn(wanted, key));
  const changed = Object.entries(wanted).filter(([key, value]) => !isDeepStrictEqual(value, own(base, key)));
  return Object.fromEntries([
    ...gone.map((key) => [key, null]),
    ...changed.map(([key, value]) => [key, overlay(own(base, key), value)]),
  ]);
}

/** A copy in which text that only looks like a variable stays text. */
function escaped<T>(value: T): T {
  if (typeof value === 'string') return escapeVariables(value) as T;
  if (Array.isArray(value)) return value.map(escaped) as T;
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, escaped(part)])) as T;
}

/** A path at which rows differ. */
export interface Difference {
  readonly path: string;
  /** Row to value; undefined where a row has nothing there. */
  readonly values: Readonly<Record<string, unknown>>;
}

/**
 * Where the configurations of rows differ, as deep as they can be compared: a slot of another type differs
 * as a whole.
 */
export function differences(trials: readonly TrialSpec[]): Difference[] {
  const rows = [...new Map(trials.map((trial) => [trial.row, trial.config])).entries()];
  const found: Difference[] = [];
  const compare = (path: readonly string[], values: readonly unknown[]): void => {
    if (values.every((value) => isDeepStrictEqual(value, values[0]))) return;
    const maps = values.filter(isPlainObject);
    if (maps.length === values.length && maps.every(({ type }) => type === maps[0].type)) {
      const keys = new Set(maps.flatMap((map) => Object.keys(map)));
      for (const key of keys)
        compare(
          [...path, key],
          maps.map((map) => own(map, key)),
        );
    } else {
      const named = rows.map(([row], i) => [row, values[i]] as const);
      found.push({ path: path.join('.'), values: Object.fromEntries(named) });
    }
  };
  compare(
    [],
    rows.map(([, config]) => config),
  );
  return found;
}

/** Components by their name; `mtcp describe` and the resolved configuration have the rest. */
export function inShort(value: unknown): string {
  if (value === undefined || value === null) return 'none';
  if (!isPlainObject(value)) return JSON.stringify(value);
  if (typeof value.type === 'string') return value.type;
  return Object.entries(value)
    .map(([key, part]) => `${key} ${inShort(part)}`)
    .join(', ');
}
