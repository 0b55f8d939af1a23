// A sweep multiplies rows: every row that it varies becomes one row for each combination of
//
//   cases   named overlays, one after the other
//   grid    path -> values, all combinations; the first path changes slowest
//   zip     path -> values of equal number, taken side by side
//
// less what `exclude` names. A combination is called after its row, its case and its values ("MT-CP, spread=5"), so
// adding a value to a sweep renames nothing. Its overlays lie over the row's own.
import { isDeepStrictEqual } from 'node:util';
import { nearestNames } from '../../registry/support/near.js';
import { unknownName } from './explain.js';
import type { ReportFault } from './faults.js';
import { isTrialPath, notATrialPath, splitPath } from './keys.js';
import { EXCLUSIONS, FAULTS, SWEPT_PATHS, SWEPT_ROWS } from './budgets.js';
import { child, nest, toValue, type YamlMap, type YamlNode, type YamlScalar } from './nodes.js';
import { labelOf, shortNames, variantName } from './row-names.js';
import type { Proposal } from './proposals.js';
import { cornersOf, parseSearch, rowOfPoint, type SearchRow, type SearchSpec } from './search-space.js';
import type { Mark } from './source-text.js';

/** Row to its overlays, each a list because several files may write one. */
export type Overlays = ReadonlyMap<string, readonly YamlMap[]>;

export interface Swept {
  readonly rows: Overlays;
  /** The row that each row of the sweep came from. */
  readonly origins: ReadonlyMap<string, string>;
  /** Every overlay that the sweep made, to be checked by itself. */
  readonly layers: readonly YamlMap[];
  /** Paths that are varied, and where. */
  readonly paths: ReadonlyMap<string, Mark>;
  /** What is searched, and the rows that were proposed so far. */
  readonly search?: SearchSpec;
  readonly proposed: readonly SearchRow[];
}

/** The points that a search has proposed, and what else decides which results it sees. */
export interface SearchContext {
  readonly context: unknown;
  proposals(spec: SearchSpec): readonly Proposal[];
}

/** A value of a swept path, or a case. */
interface Choice {
  /** What `exclude` calls it: the path, or `case`. */
  readonly axis: string;
  readonly label: string;
  readonly value: YamlNode;
  readonly layer: YamlMap;
}

const unswept = (rows: Overlays): Swept => ({
  rows,
  origins: new Map(),
  layers: [],
  paths: new Map(),
  proposed: [],
});

/** @param rows of the experiment; one with the name '' if it has none */
export function expandSweep(
  sweep: YamlNode | undefined,
  rows: Overlays,
  report: ReportFault,
  searching: SearchContext = { context: null, proposals: () => [] },
): Swept {
  if (sweep?.kind !== 'map') return unswept(rows);
  if (child(sweep, 'search')) return expandSearch(sweep, rows, report, searching);
  const [grid, zip] = ['grid', 'zip'].map((name) => axes(child(sweep, name), report));
  for (const { path, mark } of zip.filter(({ path }) => grid.some((axis) => axis.path === path)))
    report({ mark, message: `${path} is in grid and in zip`, hint: 'keep one of them' });
  const cases = casesOf(child(sweep, 'cases'));
  const factors: Choice[][][] = [
    ...(cases.length > 0 ? [cases.map((each) => [each])] : []),
    ...grid.map(({ choices }) => choices.map((choice) => [choice])),
    ...zipped(zip, report),
  ].filter((factor) => factor.length > 0);
  const paths = [...grid, ...zip].map(({ path }) => path);
  const excluded = child(sweep, 'exclude');
  const tooLarge = isTooLarge(
    factors,
    paths.length,
    rows.size,
    excluded?.kind === 'list' ? excluded.items.length : 0,
  );
  if (tooLarge !== undefined) {
    report({ mark: sweep.mark, message: tooLarge, hint: 'make several experiments of it' });
    return unswept(rows);
  }
  const names = shortNames(paths);
  const exclude = exclusions(child(sweep, 'exclude'), [...rows.keys()], factors, report);
  const wanted = new Set(chosenRows(child(sweep, 'rows'), [...rows.keys()], report));

  const result = new Map<string, readonly YamlMap[]>();
  const origins = new Map<string, string>();
  for (const [row, layers] of rows) {
    if (!wanted.has(row) || factors.length === 0) {
      result.set(row, layers);
      continue;
    }
    for (const combination of product(factors)) {
      if (exclude.has(row, combination)) continue;
      const parts = combination.map(({ axis, label }) =>
        axis === 'case' ? label : `${names.get(axis)}=${label}`,
      );
      const name = variantName(row, parts);
      origins.set(name, row);
      result.set(name, [...layers, ...combination.map(({ layer }) => layer)]);
    }
  }
  exclude.complain();
  if (result.size === 0)
    report({
      mark: sweep.mark,
      message: 'exclude removes every combination of this sweep',
      hint: 'keep a combination',
    });
  return {
    rows: result,
    origins,
    layers: factors.flat(2).map(({ layer }) => layer),
    paths: new Map([...grid, ...zip].map(({ path, mark }) => [path, mark])),
    proposed: [],
  };
}

/** The rows, and behind the row that is searched those that were proposed. */
function expandSearch(
  sweep: YamlMap,
  rows: Overlays,
  report: ReportFault,
  { context, proposals }: SearchContext,
): Swept {
  chosenRows(child(sweep, 'rows'), [...rows.keys()], report);
  const spec = parseSearch(sweep, [...rows.keys()], context, report);
  const layers = spec && rows.get(spec.row);
  if (!spec || !layers) return unswept(rows);
  const made = proposals(spec).map((proposal) => ({ ...proposal, ...rowOfPoint(spec, proposal.point) }));
  const result = new Map<string, readonly YamlMap[]>();
  for (const [row, own] of rows) {
    result.set(row, own);
    if (row === spec.row) for (const each of made) result.set(each.name, [...own, ...each.layers]);
  }
  return {
    rows: result,
    origins: new Map(made.map(({ name }) => [name, spec.row])),
    layers: cornersOf(spec).flatMap((point) => rowOfPoint(spec, point).layers),
    paths: new Map(spec.over.map(({ path, mark }) => [path, mark])),
    search: spec,
    // A point that comes twice is one row.
    proposed: made
      .map(({ index, point, name }) => ({ index, point, row: name }))
      .filter(({ row }, i, all) => all.findIndex((other) => other.row === row) === i),
  };
}

/** Why a sweep is refused before its rows are made; undefined if it is not. */
function isTooLarge(
  factors: readonly Choice[][][],
  paths: number,
  rows: number,
  exclusions: number,
): string | undefined {
  if (paths > SWEPT_PATHS) return `this sweep varies ${paths} paths, more than ${SWEPT_PATHS}`;
  const made = factors.reduce((count, factor) => count * factor.length, Math.max(1, rows));
  if (made > SWEPT_ROWS) return `this sweep makes ${made} rows, more than ${SWEPT_ROWS}`;
  if (made * exclusions > EXCLUSIONS) return `this sweep excludes ${exclusions} combinations of ${made}`;
  return undefined;
}

interface Axis {
  readonly path: string;
  readonly mark: Mark;
  readonly choices: Choice[];
}

/** The paths of a grid or zip with their values, each a list, or a map of label to value. */
function axes(node: YamlNode | undefined, report: ReportFault): Axis[] {
  if (node?.kind !== 'map') return [];
  return [...node.entries].map(([path, { key, value }]) => {
    const keys = splitPath(path);
    if (!isTrialPath(keys)) {
      report({ mark: key, ...notATrialPath(path) });
      return { path, mark: key, choices: [] };
    }
    const mark = (depth: number): Mark => ({ ...key, path: keys.slice(0, depth + 1) });
    const choices = valuesOf(value).map(([label, value]) => ({
      axis: path,
      label: label ?? labelOf(value),
      value,
      layer: nest(keys, value, mark),
    }));
    const labels = new Set<string>();
    const twice = choices.find(({ label }) => labels.size === labels.add(label).size);
    if (twice)
      report({
        mark: twice.value.mark,
        message: `two values of ${path} would be called "${twice.label}"`,
        hint: 'give them names: { one name: value, another: value }',
      });
    return { path, mark: key, choices };
  });
}

/** Values with the names that a map gives them, in the order in which they are written. */
function valuesOf(node: YamlNode): [label: string | undefined, value: YamlNode][] {
  if (node.kind === 'list') return node.items.map((item) => [undefined, item]);
  if (node.kind !== 'map') return [];
  const nulls = [...node.removed].map(([label, { key, value }]): [string, Mark, YamlNode] => [
    label,
    key,
    { kind: 'scalar', value: null, mark: value },
  ]);
  return [
    ...[...node.entries].map(([label, { key, value }]): [string, Mark, YamlNode] => [label, key, value]),
    ...nulls,
  ]
    .sort(([, a], [, b]) => (a.source === b.source ? a.start - b.start : 0))
    .map(([label, , value]) => [label, value]);
}

function casesOf(node: YamlNode | undefined): Choice[] {
  if (node?.kind !== 'map') return [];
  return [...node.entries].flatMap(([label, { value }]) =>
    value.kind === 'map' ? [{ axis: 'case', label, value, layer: value }] : [],
  );
}

/** Values side by side: one factor whose choices set all paths at once. */
function zipped(axes: readonly Axis[], report: ReportFault): Choice[][][] {
  if (axes.length === 0) return [];
  const [first, ...others] = axes;
  const odd = others.find(({ choices }) => choices.length !== first.choices.length);
  if (odd)
    report({
      mark: odd.mark,
      message: `zip takes values side by side: ${first.path} has ${first.choices.length}, ${odd.path} has ${odd.choices.length}`,
      hint: 'write as many values for each path, or use grid for all combinations',
    });
  const length = Math.min(...axes.map(({ choices }) => choices.length));
  return [Array.from({ length }, (_, i) => axes.map(({ choices }) => choices[i]))];
}

function product(factors: readonly Choice[][][]): Choice[][] {
  return factors.reduce<Choice[][]>(
    (all, factor) => all.flatMap((before) => factor.map((choice) => [...before, ...choice])),
    [[]],
  );
}

function chosenRows(
  node: YamlNode | undefined,
  rows: readonly string[],
  report: ReportFault,
): readonly string[] {
  if (node?.kind !== 'list') return rows;
  const known = new Set(rows);
  const unknown = node.items.filter(
    (item) => item.kind === 'scalar' && typeof item.value === 'string' && !known.has(item.value),
  ) as YamlScalar[];
  for (const item of unknown.slice(0, FAULTS))
    report({
      mark: item.mark,
      ...unknownName(
        'row',
        String(item.value),
        rows.filter((row) => row !== ''),
      ),
    });
  return toValue(node) as string[];
}

interface Exclusions {
  /** Whether a combination of a row is left out. */
  has(row: string, combination: readonly Choice[]): boolean;
  /** Reports entries that have left nothing out. */
  complain(): void;
}

function exclusions(
  node: YamlNode | undefined,
  rows: readonly string[],
  factors: readonly Choice[][][],
  report: ReportFault,
): Exclusions {
  const choices = factors.flat(2);
  const entries = node?.kind === 'list' ? node.items.filter((item) => item.kind === 'map') : [];
  const sound = entries.filter(({ entries: wanted }) =>
    [...wanted].map(([axis, { key, value }]) => checkExclusion(axis, key, value)).every(Boolean),
  );
  const unused = new Set(sound);

  function checkExclusion(axis: string, key: Mark, value: YamlNode): boolean {
    const known = [...new Set(choices.map((choice) => choice.axis))];
    const labels = choices.filter((choice) => choice.axis === axis).map(({ label }) => label);
    const values = axis === 'row' ? rows : [...new Set(labels)];
    if (axis !== 'row' && !known.includes(axis)) {
      const near = nearestNames(axis, known);
      const meant = near.length > 0 ? `did you mean "${near[0]}"? ` : '';
      const message = `exclude names "${axis}", which the sweep does not vary`;
      report({ mark: key, message, hint: `${meant}it varies: ${known.join(', ')}` });
      return false;
    }
    if (values.includes(labelOf(value)) || choices.some((choice) => is(choice, axis, value))) return true;
    const message = `exclude names ${labelOf(value)}, which is not a value of ${axis}`;
    report({ mark: value.mark, message, hint: `its values: ${values.join(', ')}` });
    return false;
  }

  return {
    has(row, combination) {
      const hits = sound.filter(({ entries: wanted }) =>
        [...wanted].every(([axis, { value }]) =>
          axis === 'row' ? toValue(value) === row : combination.some((choice) => is(choice, axis, value)),
        ),
      );
      for (const hit of hits) unused.delete(hit);
      return hits.length > 0;
    },
    complain() {
      for (const { mark } of unused)
        report({
          mark,
          message: 'this excludes nothing',
          hint: 'no combination of the sweep has these values',
        });
    },
  };
}

/** By value or by name. */
function is(choice: Choice, axis: string, wanted: YamlNode): boolean {
  if (choice.axis !== axis) return false;
  const value = toValue(wanted);
  if (value === choice.label) return true;
  return axis !== 'case' && isDeepStrictEqual(value, toValue(choice.value));
}
