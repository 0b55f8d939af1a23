// The section `sweep.search`: a row whose values are searched instead of listed.
//
//   over   path -> a range { from, to, log?, step? }, or choices as in `grid`
//
// A point of the space is a proposal: path to number, or to the name of a choice. Each proposal becomes a row, named by
// its values like a combination of a sweep. Proposals are made while the experiment runs (app/search) and kept in the
// folder of runs (proposals.ts), so that an interrupted search continues with the same points.
import { createHash } from 'node:crypto';
import { SWEPT_ROWS } from './budgets.js';
import type { ReportFault } from './faults.js';
import { isTrialPath, notATrialPath, splitPath } from './keys.js';
import { child, nest, text, toValue, type YamlMap, type YamlNode } from './nodes.js';
import { labelOf, shortNames, variantName } from './row-names.js';
import type { Mark } from './source-text.js';
import { canonicalJson } from './trial.js';

export interface RangeParameter {
  readonly kind: 'range';
  readonly path: string;
  /** In the names of rows. */
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly log: boolean;
  /** Distance of allowed values, counted from `from`. */
  readonly step: number | null;
  readonly mark: Mark;
}

export interface ChoiceParameter {
  readonly kind: 'choice';
  readonly path: string;
  readonly name: string;
  readonly choices: readonly { readonly label: string; readonly value: YamlNode }[];
  readonly mark: Mark;
}

export type Parameter = RangeParameter | ChoiceParameter;

/** Path to number, or to the label of a choice. */
export type Point = Readonly<Record<string, number | string>>;

export interface SearchSpec {
  readonly type: 'random' | 'asha' | 'tpe';
  /** The row that is varied. */
  readonly row: string;
  readonly over: readonly Parameter[];
  /** `delta_m`, `task.metric`, or `all`: the mean over tasks of the logarithm of the primary metric. */
  readonly objective: string;
  readonly trials: number | null;
  readonly hours: number | null;
  readonly atOnce: number | null;
  readonly seed: number;
  /** asha: of how many one survives a rung, and epochs of the first rung. */
  readonly reduction: number;
  readonly firstEpoch: number;
  /** tpe: random points before the first model. */
  readonly startup: number;
  /** Names the folder of its proposals: another space or seed is another search. */
  readonly digest: string;
  readonly mark: Mark;
}

/** A row that a search made. */
export interface SearchRow {
  readonly index: number;
  readonly point: Point;
  readonly row: string;
}

/**
 * Reads `sweep.search`. Undefined after a fault.
 * @param context what else decides which results the search sees: profile and arguments
 */
export function parseSearch(
  sweep: YamlMap,
  rows: readonly string[],
  context: unknown,
  report: ReportFault,
): SearchSpec | undefined {
  const search = child(sweep, 'search');
  if (search?.kind !== 'map') return undefined;
  let faulty = false;
  const fail: ReportFault = (fault) => {
    faulty = true;
    report(fault);
  };
  for (const other of ['grid', 'zip', 'cases', 'exclude'])
    if (child(sweep, other))
      fail({
        mark: child(sweep, other)!.mark,
        message: `${other} cannot be combined with search`,
        hint: 'write choices into search.over, or make another experiment',
      });
  const chosen = child(sweep, 'rows');
  const wanted = chosen ? (toValue(chosen) as string[]) : rows;
  if (wanted.length !== 1)
    fail({
      mark: chosen?.mark ?? search.mark,
      message: `a search varies one row, not ${wanted.length}`,
      hint: `name it: sweep: { rows: ["${rows[0]}"], search: ... }`,
    });
  const over = parametersOf(child(search, 'over'), fail);
  const number = (name: string, otherwise: number | null) => {
    const node = child(search, name);
    return node?.kind === 'scalar' && typeof node.value === 'number' ? node.value : otherwise;
  };
  const [trials, hours] = [number('trials', null), number('hours', null)];
  if (trials === null && hours === null)
    fail({ mark: search.mark, message: 'the search has no budget', hint: 'write trials: 20, or hours: 2' });
  if (trials !== null && trials > SWEPT_ROWS)
    fail({ mark: search.mark, message: `${trials} trials are more than ${SWEPT_ROWS}` });
  if (faulty) return undefined;
  const type = text(search, 'type') as SearchSpec['type'];
  const seed = number('seed', 0)!;
  const space = over.map((parameter) =>
    parameter.kind === 'range'
      ? [parameter.path, parameter.from, parameter.to, parameter.log, parameter.step]
      : [parameter.path, ...parameter.choices.map(({ value }) => toValue(value))],
  );
  const identity = canonicalJson({ type, seed, space, row: wanted[0], context });
  return {
    type,
    row: wanted[0],
    over,
    objective: text(search, 'objective') ?? 'all',
    trials,
    hours,
    atOnce: number('at_once', null),
    seed,
    reduction: number('reduction', 3)!,
    firstEpoch: number('first_epoch', 1)!,
    startup: number('startup', 10)!,
    digest: createHash('sha256').update(identity).digest('hex').slice(0, 8),
    mark: search.mark,
  };
}

function parametersOf(over: YamlNode | undefined, fail: ReportFault): Parameter[] {
  if (over?.kind !== 'map') return [];
  // The type of a slot goes by the name of the slot.
  const shown = (path: string) => {
    const slot = path.replace(/\.type$/, '');
    return over.entries.has(slot) ? path : slot;
  };
  const names = shortNames([...over.entries.keys()].map(shown));
  return [...over.entries].flatMap(([path, { key, value }]): Parameter[] => {
    const keys = splitPath(path);
    if (!isTrialPath(keys)) {
      fail({ mark: key, ...notATrialPath(path) });
      return [];
    }
    const name = names.get(shown(path))!;
    const { from, to } = toValue(value) as { from?: unknown; to?: unknown };
    if (value.kind === 'map' && (from !== undefined || to !== undefined))
      return rangeOf(path, name, value, key, fail);
    const choices =
      value.kind === 'list'
        ? value.items.map((item) => ({ label: labelOf(item), value: item }))
        : value.kind === 'map'
          ? [...value.entries].map(([label, entry]) => ({ label, value: entry.value }))
          : [];
    if (new Set(choices.map(({ label }) => label)).size < choices.length)
      fail({ mark: key, message: `two choices of ${path} have one name`, hint: 'give them names' });
    return [{ kind: 'choice', path, name, choices, mark: key }];
  });
}

function rangeOf(path: string, name: string, node: YamlMap, mark: Mark, fail: ReportFault): Parameter[] {
  const unknown = [...node.entries].find(([key]) => !['from', 'to', 'log', 'step'].includes(key));
  const { from, to, log = false, step = null } = toValue(node) as Record<string, unknown>;
  const wrong = unknown
    ? `unknown option "${unknown[0]}" of a range`
    : typeof from !== 'number' || typeof to !== 'number' || !(from < to)
      ? `the range of ${path} needs numbers, from below to`
      : typeof log !== 'boolean' || (log && from <= 0)
        ? `a logarithmic range of ${path} begins above 0`
        : step !== null && (typeof step !== 'number' || !(step > 0) || step > to - from || log)
          ? `step of ${path} is a number above 0 that fits the range, without log`
          : undefined;
  if (wrong !== undefined) {
    fail({
      mark: unknown?.[1].key ?? mark,
      message: wrong,
      hint: 'write { from: 1e-5, to: 1e-2, log: true }, { from: 2, to: 8, step: 2 }, or a list of choices',
    });
    return [];
  }
  return [
    {
      kind: 'range',
      path,
      name,
      from: from as number,
      to: to as number,
      log: log as boolean,
      step: step as number | null,
      mark,
    },
  ];
}

/** The row of a point, and its overlays. */
export function rowOfPoint(spec: SearchSpec, point: Point): { name: string; layers: YamlMap[] } {
  const parts = spec.over.map(({ path, name }) => `${name}=${point[path]}`);
  // Another type replaces a slot, so types and whole slots come before options.
  const inOrder = [...spec.over].sort((a, b) => depthOf(a) - depthOf(b));
  const layers = inOrder.flatMap((parameter): YamlMap[] => {
    const value = valueOf(parameter, point[parameter.path]);
    return value ? [overlayOf(parameter, value)] : [];
  });
  return { name: variantName(spec.row, parts), layers };
}

/** How deep in the trial a parameter lies; the type of a slot counts as the slot. */
function depthOf({ path }: Parameter): number {
  const keys = splitPath(path);
  return keys.length - (keys.at(-1) === 'type' ? 1 : 0);
}

/** The overlay of a value of a parameter. */
function overlayOf({ path, mark }: Parameter, value: YamlNode): YamlMap {
  const keys = splitPath(path);
  return nest(keys, value, (depth) => ({ ...mark, path: keys.slice(0, depth + 1) }));
}

function valueOf(parameter: Parameter, value: number | string): YamlNode | undefined {
  if (parameter.kind === 'choice') return parameter.choices.find(({ label }) => label === value)?.value;
  return typeof value === 'number' ? { kind: 'scalar', value, mark: parameter.mark } : undefined;
}

/** Whether a point belongs to the space, every value of it. */
export const isPoint = ({ over }: SearchSpec, point: Point): boolean =>
  over.every((parameter) => {
    const value = point[parameter.path];
    return parameter.kind === 'choice'
      ? parameter.choices.some(({ label }) => label === value)
      : typeof value === 'number' && value >= parameter.from && value <= parameter.to;
  });

/** The two ends of every parameter at once: what a check looks at before there are proposals. */
export function cornersOf({ over }: SearchSpec): Point[] {
  const corner = (last: boolean) =>
    Object.fromEntries(
      over.map((parameter) => [
        parameter.path,
        parameter.kind === 'range'
          ? drawn(parameter, last ? 1 : 0)
          : parameter.choices.at(last ? -1 : 0)!.label,
      ]),
    );
  return [corner(false), corner(true)];
}

/** Digits of a drawn number: its name is the number itself. */
const DIGITS = 4;

/** The value of a range at `share` of it, from 0 to 1. */
export function drawn({ from, to, log, step }: RangeParameter, share: number): number {
  if (step !== null) {
    const steps = Math.floor((to - from) / step + 1e-9);
    const value = from + step * Math.min(steps, Math.floor(share * (steps + 1)));
    return Number(value.toPrecision(12));
  }
  const value = log
    ? Math.exp(Math.log(from) + share * (Math.log(to) - Math.log(from)))
    : from + share * (to - from);
  return Math.min(to, Math.max(from, Number(value.toPrecision(DIGITS))));
}
