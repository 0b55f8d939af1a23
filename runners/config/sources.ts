// Rows that lean on other rows: one starts from weights that another trained, or learns from another as its teacher.
// A trial's sources are the other rows' trials of the same seed; they have to be done first, and what they are is part
// of what the trial is.
import { isPlainObject } from '../../registry/options.js';
import type { Composition } from './compose.js';
import { unknownName } from './explain.js';
import type { Faults, Report } from './faults.js';
import { follow } from './nodes.js';
import type { Mark } from './source.js';
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

/** The trials that others lean on before those that lean on them; otherwise the order stays. */
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

/** Every row that is named exists, and none leans on itself, however many others are in between. */
export function validateReferences({ sweep }: Composition, drafts: readonly Draft[], faults: Faults): void {
  const byProfile = new Map<string | null, Map<string, Draft>>();
  for (const draft of drafts) {
    const named = byProfile.get(draft.profile) ?? new Map<string, Draft>();
    byProfile.set(draft.profile, named.set(draft.row, draft));
  }
  for (const draft of drafts) {
    const byName = byProfile.get(draft.profile)!;
    const report = faults.reportIn(draft);
    for (const reference of referencesOf(draft.value)) {
      const mark = markOf(draft, reference);
      if (!byName.has(reference.row)) {
        const variants = [...sweep.origins].filter(([, origin]) => origin === reference.row);
        report({
          mark,
          ...(variants.length > 0
            ? {
                message: `the sweep makes ${variants.length} rows of "${reference.row}", none of which has this name`,
                hint: `name one of them, such as "${variants[0][0]}"`,
              }
            : unknownName('row', reference.row, [...byName.keys()])),
        });
        continue;
      }
      const circle = pathBetween(reference.row, draft.row, byName);
      if (circle)
        report({
          mark,
          message:
            circle.length === 1
              ? `row "${draft.row}" leans on itself`
              : `rows lean on each other: ${[draft.row, ...circle].map((row) => `"${row}"`).join(' -> ')}`,
          hint: 'name a row that can be trained without this one',
        });
    }
    validateParts(draft, report);
  }
}

/** The rows from one to another, following who leans on whom; undefined if there is no way. */
function pathBetween(
  from: string,
  to: string,
  drafts: ReadonlyMap<string, Draft>,
  seen: readonly string[] = [],
): string[] | undefined {
  if (from === to) return [to];
  if (seen.includes(from)) return undefined;
  for (const { row } of referencesOf(drafts.get(from)?.value ?? {})) {
    const rest = pathBetween(row, to, drafts, [...seen, from]);
    if (rest) return [from, ...rest];
  }
  return undefined;
}

function validateParts(draft: Draft, report: Report): void {
  const { weights, tasks } = draft.value;
  if (!isPlainObject(weights) || !isPlainObject(weights.rows)) return;
  const known = [...Object.keys(isPlainObject(tasks) ? tasks : {}), ...STARTED_PARTS];
  for (const part of Object.keys(weights.rows))
    if (!known.includes(part))
      report({
        mark: markOf(draft, { path: ['weights', 'rows', part] }),
        ...unknownName('task or part of the network', part, known),
      });
}

function markOf({ node }: Draft, { path }: Pick<Reference, 'path'>): Mark {
  const { node: found, key } = follow(node, path);
  return key ?? found.mark;
}
