// All checks that need only the schemas and the experiment itself: each layer alone, the merged root, and then each
// row under each profile as a complete trial.
import { nearestNames } from '../../registry/support/near.js';
import { isPlainObject } from '../../registry/options.js';
import { isInherited } from '../../registry/own.js';
import { fillTrial, mergeTrial, sections, type Composition } from './compose.js';
import { explainAll, unknownName, unknownOption } from './explain.js';
import type { Combination, Fault, Faults, ReportFault } from './faults.js';
import { splitPath } from './keys.js';
import { FAULTS } from './budgets.js';
import { child, type YamlNode, follow, toValue, type YamlMap } from './nodes.js';
import type { Schemas } from './schemas.js';
import { where, type Mark } from './source-text.js';
import { FillBudget } from './variables.js';
import { unusual, withUsual } from './usual.js';
import { usedVariables } from './variable-uses.js';

/** A row under a profile, merged; not yet known to be valid. */
export interface Draft extends Combination {
  /** The arguments that were applied to it. */
  readonly overrides: readonly YamlMap[];
  /** Before variables are filled in: what is written. */
  readonly merged: YamlMap;
  readonly node: YamlMap;
  readonly value: Record<string, unknown>;
}

/** Files and overrides by themselves: partial, but nothing in them may be unknown or of the wrong type. */
export function validateLayers(
  { files, sweep }: Composition,
  overrides: readonly YamlMap[],
  schemas: Schemas,
  report: ReportFault,
): void {
  const known = schemas.trialSections();
  for (const root of files) {
    explainAll(schemas.experiment(toValue(root)), { root, partial: true, sections: known }, report);
    for (const overlay of [sections(root), ...overlaysIn(root)]) validateOverlay(overlay, schemas, report);
  }
  for (const layer of [...sweep.layers, ...overrides]) validateOverlay(layer, schemas, report);
}

/** Rows and profiles as one file has them. */
function overlaysIn(root: YamlMap): YamlMap[] {
  return ['rows', 'profiles'].flatMap((section) => {
    const named = child(root, section);
    const values = named?.kind === 'map' ? [...named.entries.values()].map(({ value }) => value) : [];
    return values.filter((value) => value.kind === 'map');
  });
}

function validateOverlay(overlay: YamlMap, schemas: Schemas, report: ReportFault): void {
  const { variables, rest } = apart(overlay);
  const context = { partial: true, sections: schemas.trialSections() };
  explainAll(schemas.trial(toValue(rest)), { root: rest, ...context }, report);
  explainAll(schemas.experiment(toValue(variables)), { root: variables, ...context }, report);
}

/** An overlay's `variables`, and what is left of it. */
function apart(overlay: YamlMap): { variables: YamlMap; rest: YamlMap } {
  const only = (wanted: boolean): YamlMap => ({
    ...overlay,
    entries: new Map([...overlay.entries].filter(([name]) => (name === 'variables') === wanted)),
    removed: new Map([...overlay.removed].filter(([name]) => (name === 'variables') === wanted)),
  });
  return { variables: only(true), rest: only(false) };
}

/** Variables are declared by files, and used; rows, profiles, sweeps and arguments set what is declared. */
export function validateVariables(
  { root, files, sweep }: Composition,
  overrides: readonly YamlMap[],
  report: ReportFault,
): void {
  const declared = child(root, 'variables');
  const names = declared?.kind === 'map' ? [...declared.entries.keys()] : [];
  const known = new Set(names);
  const unknown: [string, Mark][] = [];
  for (const overlay of [...files.flatMap(overlaysIn), ...sweep.layers, ...overrides]) {
    const set = child(overlay, 'variables');
    for (const [name, { key }] of set?.kind === 'map' ? set.entries : [])
      if (!known.has(name)) unknown.push([name, key]);
  }
  for (const [name, mark] of unknown.slice(0, FAULTS))
    report({ mark, ...unknownName('variable', name, names, 'declare it under "variables" of the file') });
  const used = new Set([...files, ...overrides].flatMap((file) => [...usedVariables(file)]));
  for (const [name, { key }] of declared?.kind === 'map' ? declared.entries : [])
    if (!used.has(name))
      report({
        mark: key,
        message: `nothing uses the variable "${name}"`,
        hint: `write \${${name}} where it is meant, or remove it`,
      });
}

/** A path that the sweep varies cannot be set for all of its rows at once. */
export function validateOverrides(
  { sweep: { paths } }: Composition,
  overrides: readonly YamlMap[],
  report: ReportFault,
): void {
  for (const override of overrides)
    for (const [path, mark] of paths) {
      const { found, key } = follow(override, splitPath(path));
      if (found && key)
        report({
          mark: key,
          message: `the sweep varies ${path}, so an argument cannot set it`,
          hint: `it is varied in ${where(mark)}; to run one combination, name it with --row`,
        });
    }
}

/** The merged name, seeds, report, ...: nothing may be missing. */
export function validateRoot({ root }: Composition, schemas: Schemas, report: ReportFault): void {
  explainAll(
    schemas.experiment(toValue(root)),
    { root, partial: false, sections: schemas.trialSections() },
    report,
  );
}

/**
 * Composes and validates each combination.
 * @param overrides what the command line changes in a row
 */
export function validateTrials(
  composition: Composition,
  combinations: readonly Combination[],
  overrides: (combination: Combination) => readonly YamlMap[],
  schemas: Schemas,
  faults: Faults,
): Draft[] {
  const drafts: Draft[] = [];
  const budget = new FillBudget();
  for (const combination of combinations) {
    if (faults.full) break;
    const report = faults.reportIn(combination);
    drafts.push(draftOf(composition, combination, overrides(combination), schemas, report, budget));
  }
  return drafts;
}

/** Composes one combination and reports what is wrong with it. */
export function draftOf(
  composition: Composition,
  combination: Combination,
  overrides: readonly YamlMap[],
  schemas: Schemas,
  report: ReportFault,
  budget = new FillBudget(),
): Draft {
  const merged = mergeTrial(composition, combination, overrides);
  const node = fillTrial(merged, report, budget);
  const written = toValue(node) as Record<string, unknown>;
  const value = withUsual(written, schemas);
  const hint = ([section, task]: readonly string[]) =>
    section === 'tasks' ? unusual(task, written, schemas) : undefined;
  const context = { root: node, partial: false, sections: schemas.trialSections(), hint };
  explainAll(schemas.trial(value), context, report);
  validateRemovals(node, schemas, report);
  validateTaskNames(node, report);
  return { ...combination, overrides, merged, node, value };
}

/** Tasks are keys of plain objects everywhere, in labels, losses and results. */
function validateTaskNames(trial: YamlMap, report: ReportFault): void {
  for (const section of ['tasks', 'auxiliary'] as const) {
    const named = child(trial, section);
    for (const [name, { key }] of named?.kind === 'map' ? named.entries : [])
      if (isInherited(name))
        report({
          mark: key,
          message: `"${name}" cannot be a name in ${section}`,
          hint: 'this name is reserved: every JavaScript object has a property with it; choose another one',
        });
  }
}

/** null leaves nothing behind for ajv to see, so a null under a misspelt key is found here. */
function validateRemovals(trial: YamlMap, schemas: Schemas, report: ReportFault): void {
  schemas.eachMap(trial, (map, schema, path) => {
    for (const [name, { key, existed }] of map.removed) {
      if (Object.hasOwn(schema.properties ?? {}, name)) continue;
      if (schema.additionalProperties === false)
        report(unknownOption(path, map, schema, name, schemas.trialSections()));
      else if (typeof schema.additionalProperties === 'object' && !existed)
        report(nothingToRemove(path, key, name, map));
    }
  });
}

function nothingToRemove(path: readonly string[], mark: Mark, name: string, map: YamlMap): Fault {
  const known = [...map.entries.keys(), ...map.removed.keys()].filter((other) => other !== name);
  const near = nearestNames(name, known).map((other) => `"${other}"`);
  const what = path.at(-1) === 'tasks' ? 'task' : 'entry';
  return {
    mark,
    message: `there is no ${what} "${name}" to remove`,
    hint: near.length > 0 ? `did you mean ${near.join(' or ')}?` : `there are: ${known.join(', ')}`,
  };
}

/** What `report` says about rows and tasks must be true of them. */
export function validateReport(
  { root, sweep }: Composition,
  drafts: readonly Draft[],
  report: ReportFault,
): void {
  /** Row to its tasks under each profile. */
  const rows = new Map<string, string[][]>();
  for (const { row, value } of drafts) {
    const tasks = isPlainObject(value.tasks) ? [Object.keys(value.tasks)] : [];
    rows.set(row, [...(rows.get(row) ?? []), ...tasks]);
  }
  let unknown = 0;
  const checkTask = (row: string, task: string, mark: Mark) => {
    for (const tasks of rows.get(row) ?? [])
      if (!tasks.includes(task))
        report({
          mark,
          message: `row "${row}" has no task "${task}"`,
          hint: tasks.length > 0 ? `its tasks: ${tasks.join(', ')}` : 'it has no tasks at all',
        });
  };
  const checkRow = (row: string, mark: Mark, place: string): boolean => {
    if (rows.has(row)) return true;
    if (++unknown > FAULTS) return false;
    const variants = [...sweep.origins].filter(([, origin]) => origin === row).map(([name]) => name);
    const { message, hint } =
      variants.length > 0
        ? {
            message: `the sweep makes ${variants.length} rows of "${row}", none of which has this name`,
            hint: `leave it out with sweep.rows, or name one of them, such as "${variants[0]}"`,
          }
        : unknownName('row', row, [...rows.keys()]);
    report({ mark, message: `${message} in ${place}`, hint });
    return false;
  };

  const section = child(root, 'report');
  const baselines = child(section, 'delta_m');
  for (const [task, { value }] of baselines?.kind === 'map' ? baselines.entries : [])
    if (value.kind === 'scalar' && typeof value.value === 'string')
      if (checkRow(value.value, value.mark, 'report.delta_m')) checkTask(value.value, task, value.mark);

  const checkNumbers = (place: string, rowsNode: YamlNode | undefined) => {
    for (const [row, { key, value }] of rowsNode?.kind === 'map' ? rowsNode.entries : []) {
      if (!checkRow(row, key, place) || value.kind !== 'map') continue;
      for (const [number, { key }] of value.entries) {
        const [task, ...metric] = number.split('.');
        if (metric.length > 0) checkTask(row, task, key);
        else if (number !== 'delta_m')
          report({
            mark: key,
            message: `"${number}" does not name a metric`,
            hint: 'write task.metric, such as semseg.mIoU, or delta_m',
          });
      }
    }
  };
  const deviations = child(child(section, 'noise'), 'deviation');
  const tasks = [...new Set([...rows.values()].flat(2))];
  for (const [number, { key }] of deviations?.kind === 'map' ? deviations.entries : []) {
    const [task] = number.split('.');
    if (!tasks.includes(task)) report({ mark: key, ...unknownName('task', task, tasks) });
  }
  checkNumbers('report.printed.rows', child(child(section, 'printed'), 'rows'));
  const expected = child(section, 'expect');
  checkNumbers('report.expect', expected);
  for (const { value: numbers } of expected?.kind === 'map' ? expected.entries.values() : [])
    for (const { value } of numbers.kind === 'map' ? numbers.entries.values() : []) {
      const other = child(value, 'better_than');
      if (other?.kind === 'scalar' && typeof other.value === 'string')
        checkRow(other.value, other.mark, 'report.expect');
    }
}
