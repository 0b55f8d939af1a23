// The conditions under which the rows of a table were trained and scored. Only rows under the same conditions can be
// compared: if conditions differ, the table has a caption for each group of rows, and the best value of a column is
// marked per group.
import { canonicalJson } from '../config/trial.js';
import { isOnce } from '../model/views.js';
import type { TrialSpec } from '../config/index.js';
import type { RowResult } from './row-result.js';

/** What a row's numbers are of, in words for a caption and as keys that are equal where the conditions are. */
export interface Conditions {
  data: string;
  size: string;
  epochs: number;
  pipeline: string;
  /** How predictions are compared with labels. */
  evaluation: string;
  /** Test-time augmentation: what predictions are averaged over; empty without it. */
  views: string;
  engine: string;
  /** Metrics and their options, by task; tasks whose metric is the same in all rows are left out. */
  metrics: string;
  /** Labels that are not the benchmark's own. */
  notes: string[];
}

export interface Group {
  /** A, B, ... */
  letter: string;
  rows: string[];
  conditions: Conditions;
  /** Equal in groups whose rows were scored alike: same images, same labels, same metric. */
  scoring: string;
}

/** Groups in the order in which rows of the table first belong to them. */
export function groupsOf(rows: readonly RowResult[]): Group[] {
  const metrics = metricSlots(rows.map(({ trial }) => trial));
  const digests = new Map<string, string>();
  for (const { trial, result } of rows)
    if (result && !digests.has(dataKey(trial))) digests.set(dataKey(trial), result.data.digest);
  const groups = new Map<string, Group>();
  for (const { trial } of rows) {
    const { config, row } = trial;
    const own = rows.flatMap((other) => (other.trial.row === row ? (other.result ?? []) : []));
    const seen = [...new Set(own.map(({ data }) => data.digest))];
    // A row that has no result yet is taken to be of the data that others with the same section had.
    const digest = seen.length > 0 ? seen.join('+') : (digests.get(dataKey(trial)) ?? '');
    const known = own[0] ?? rows.find((other) => other.result?.data.digest === digest)?.result;
    const conditions: Conditions = {
      data: known?.data.caption ?? 'nothing yet',
      size: (config.augment.size as number[] | undefined)?.join('x') ?? '',
      epochs: own.find(({ halved }) => halved)?.epochs ?? config.train.epochs,
      pipeline: config.augment.type,
      evaluation: `${config.evaluate.mode}${config.evaluate.quantize ? '' : ' without 8-bit values'}`,
      views: viewsOf(trial),
      engine: engineOf(trial),
      metrics: metrics(trial),
      notes: known?.data.notes ?? [],
    };
    // In mode atrc labels have the size of the input.
    const scored = config.evaluate.mode === 'atrc' ? [conditions.size, conditions.pipeline] : [];
    const scoring = JSON.stringify([
      dataKey(trial),
      digest,
      conditions.evaluation,
      conditions.metrics,
      scored,
    ]);
    const { size, epochs, pipeline, views, engine } = conditions;
    const key = JSON.stringify([scoring, size, epochs, pipeline, views, engine]);
    const group = groups.get(key) ?? { letter: letterOf(groups.size), rows: [], conditions, scoring };
    if (!group.rows.includes(row)) group.rows.push(row);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** Caption of a group, without a full stop. @param profile of the experiment */
export function captionOf(
  { conditions }: Group,
  { profile, seeds, all }: { profile: string | null; seeds: readonly number[]; all: readonly Group[] },
): string {
  const { data, size, epochs, pipeline, evaluation, views, engine, metrics } = conditions;
  const differ = (key: 'engine' | 'metrics') => new Set(all.map((group) => group.conditions[key])).size > 1;
  return [
    data,
    ...(profile ? [`profile ${profile}`] : []),
    ...(size ? [`images of ${size}`] : []),
    `${epochs} epoch${epochs === 1 ? '' : 's'}`,
    seeds.length === 1 ? `seed ${seeds[0]}` : `seeds ${seeds.join(', ')} (mean ± standard deviation)`,
    `pipeline ${pipeline}`,
    `evaluation ${evaluation}`,
    ...(views ? [views] : []),
    ...(differ('engine') ? [`engine ${engine}`] : []),
    ...(differ('metrics') ? [metrics] : []),
  ].join(', ');
}

const dataKey = ({ config }: TrialSpec): string => canonicalJson(config.data);

function viewsOf({ config: { evaluate } }: TrialSpec): string {
  if (isOnce(evaluate)) return '';
  const { flip, scales } = evaluate;
  return `predictions averaged over ${flip ? 'flips and ' : ''}scales ${scales.join(', ')}`;
}

function engineOf({ config: { engine } }: TrialSpec): string {
  if (engine.type === 'xla' && engine.precision !== 'float32') return `xla, ${engine.precision}`;
  return 'provider' in engine && engine.provider !== 'cpu'
    ? `${engine.type}:${engine.provider}`
    : engine.type;
}

/** A row without a task does not differ from the others in how the task is scored. */
function metricSlots(trials: readonly TrialSpec[]): (trial: TrialSpec) => string {
  const known = new Map<string, string[]>();
  for (const { config } of trials)
    for (const [task, { metric }] of Object.entries(config.tasks)) {
      const slots = known.get(task) ?? [];
      const slot = canonicalJson(metric);
      if (!slots.includes(slot)) known.set(task, [...slots, slot]);
    }
  const several = [...known].filter(([, slots]) => slots.length > 1);
  return ({ config }) =>
    several
      .map(([task, [first]]) => {
        const metric = config.tasks[task]?.metric;
        return `${task} scored by ${metric ? canonicalJson(metric) : first}`;
      })
      .join(', ');
}

/** A to Z, then A2 to Z2, and so on. */
function letterOf(index: number): string {
  const round = Math.floor(index / 26);
  return `${String.fromCharCode(65 + (index % 26))}${round > 0 ? round + 1 : ''}`;
}
