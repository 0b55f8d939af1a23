// Rows that depend on other rows: a row may start from weights that another row trained, or use another row as its
// teacher. The sources of a trial are the trials of those rows with the same seed. They are trained first, and their
// hashes are part of the trial's hash.
import { isPlainObject } from '../../registry/options.js';
import type { Composition } from './compose.js';
import { unknownName } from './explain.js';
import { DependencyGraph } from './dependency-graph.js';
import type { Fault, Faults, ReportFault } from './faults.js';
import { FAULTS, ROW_DEPTH } from './budgets.js';
import { follow } from './nodes.js';
import type { Mark } from './source-text.js';
import type { TrialSpec } from './trial.js';
import type { Draft } from './validate.js';

/** Where a trial names another row. */
export interface Reference {
  readonly path: readonly string[];
  readonly row: string;
}

/** Parts of a network that may come from another row, besides tasks. */
export const STARTED_PARTS = [
  'model',
  'backbone',
  'decoder',
  'fusion',
  'interaction',
  'refinement',
  'heads',
] as const;

export function referencesOf({ weights, auxiliary }: Record<string, unknown>): Reference[] {
  const rows = isPlainObject(weights) && isPlainObject(weights.rows) ? Object.entries(weights.rows) : [];
  const losses = isPlainObject(auxiliary) ? Object.entries(auxiliary) : [];
  const named: [string[], unknown][] = [
    ...rows.map(([part, row]): [string[], unknown] => [['weights', 'rows', part], row]),
    ...losses.map(([name, loss]): [string[], unknown] => [
      ['auxiliary', name, 'teacher'],
      isPlainObject(loss) ? loss.teacher : undefined,
    ]),
  ];
  return named.flatMap(([path, row]) => (typeof row === 'string' ? [{ path, row }] : []));
}

/** The trials that others depend on before those that depend on them; otherwise the order stays. */
export function withSources(trials: readonly TrialSpec[]): TrialSpec[] {
  const ordered = new Map<string, TrialSpec>();
  const add = (trial: TrialSpec): void => {
    const key = JSON.stringify([trial.row, trial.seed, trial.hash]);
    if (ordered.has(key)) return;
    for (const source of Object.values(trial.sources)) add(source);
    ordered.set(key, trial);
  };
  trials.forEach(add);
  return [...ordered.values()];
}

/** Every row that is named exists, and none depends on itself, however many others are in between. */
export function validateReferences({ sweep }: Composition, drafts: readonly Draft[], faults: Faults): void {
  const byProfile = new Map<string | null, Map<string, Draft>>();
  for (const draft of drafts) {
    const named = byProfile.get(draft.profile) ?? new Map<string, Draft>();
    byProfile.set(draft.profile, named.set(draft.row, draft));
  }
  for (const byName of byProfile.values()) {
    const graph = new DependencyGraph(
      [...byName].map(([row, { value }]) => [
        row,
        referencesOf(value).flatMap(({ row }) => (byName.has(row) ? [row] : [])),
      ]),
    );
    let circles = 0;
    for (const draft of byName.values()) {
      if (faults.full) return;
      const report = faults.reportIn(draft);
      for (const reference of referencesOf(draft.value)) {
        const fault = byName.has(reference.row)
          ? circles < CIRCLES && circleOrChain(draft.row, reference.row, graph)
          : unknownRow(reference.row, sweep, byName);
        if (fault && byName.has(reference.row)) circles++;
        if (fault) report({ mark: markOf(draft, reference), ...fault });
      }
      validateParts(draft, report);
    }
  }
}

/** Cycles and long chains that are reported; further ones are most likely the same, seen from another row. */
const CIRCLES = 20;

function unknownRow(
  row: string,
  sweep: Composition['sweep'],
  byName: ReadonlyMap<string, Draft>,
): Omit<Fault, 'mark'> {
  const variants = [...sweep.origins].filter(([, origin]) => origin === row);
  if (variants.length === 0) return unknownName('row', row, [...byName.keys()]);
  return {
    message: `the sweep makes ${variants.length} rows of "${row}", none of which has this name`,
    hint: `name one of them, such as "${variants[0][0]}"`,
  };
}

function circleOrChain(from: string, to: string, graph: DependencyGraph): Omit<Fault, 'mark'> | undefined {
  const circle = graph.wayBack(from, to);
  if (circle)
    return {
      message:
        circle.length === 1
          ? `row "${from}" depends on itself`
          : `rows depend on each other: ${inShort([from, ...circle])}`,
      hint: 'name a row that can be trained without this one',
    };
  if (graph.depth(to) < ROW_DEPTH) return undefined;
  return {
    message: `more than ${ROW_DEPTH} rows depend on each other, one after the other`,
    hint: 'let rows start from one that comes earlier in the chain',
  };
}

/** Names on a way, without the middle of a long one. */
function inShort(rows: readonly string[]): string {
  const names = rows.map((row) => `"${row}"`);
  return (names.length > 8 ? [...names.slice(0, 4), '...', ...names.slice(-3)] : names).join(' -> ');
}

function validateParts(draft: Draft, report: ReportFault): void {
  const { weights, tasks } = draft.value;
  if (!isPlainObject(weights) || !isPlainObject(weights.rows)) return;
  const known = [...Object.keys(isPlainObject(tasks) ? tasks : {}), ...STARTED_PARTS];
  const unknown = Object.keys(weights.rows).filter((part) => !known.includes(part));
  for (const part of unknown.slice(0, FAULTS))
    report({
      mark: markOf(draft, { path: ['weights', 'rows', part] }),
      ...unknownName('task or part of the network', part, known),
    });
}

function markOf({ node }: Draft, { path }: Pick<Reference, 'path'>): Mark {
  const { node: found, key } = follow(node, path);
  return key ?? found.mark;
}
