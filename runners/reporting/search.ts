// The trials of a search with their scores: what reports show, and what the next proposals are made of.
import type { Experiment, Parameter, Point } from '../config/index.js';
import type { TrialState } from '../store/ledger/run-folder.js';
import { keyOf, type MeasuredRow, type Primary } from './measure.js';
import { rankCorrelation, ranksOf } from './statistics.js';

export interface SearchTrial {
  /** Of the proposal, from 1; 0 is the row itself, as it is written. */
  readonly index: number;
  readonly row: string;
  /** Undefined for the row itself. */
  readonly point: Point | undefined;
  /** In the unit of the objective, mean over seeds; undefined if there is none yet, or never will be. */
  readonly score: number | undefined;
  readonly states: readonly TrialState[];
  /** Epochs trained, if it is done. */
  readonly epochs: number | undefined;
  /** Whether the search ended it early. */
  readonly halved: boolean;
}

export interface SearchResult {
  readonly over: readonly Parameter[];
  readonly type: string;
  /** Title of the score. */
  readonly objective: string;
  readonly better: 'higher' | 'lower';
  readonly trials: readonly SearchTrial[];
}

/** Undefined if the experiment has no search. */
export function searchOf(
  { search }: Experiment,
  measured: readonly MeasuredRow[],
  primary: Primary,
): SearchResult | undefined {
  if (!search) return undefined;
  const { spec, rows } = search;
  const objective = objectiveOf(spec.objective, primary);
  const byName = new Map(measured.map((row) => [row.name, row]));
  const trials = [{ index: 0, row: spec.row, point: undefined }, ...rows].flatMap(
    ({ index, row, point }): SearchTrial[] => {
      const found = byName.get(row);
      if (!found) return [];
      const { states, done } = found;
      return [
        {
          index,
          row,
          point,
          states,
          score: objective.of(found),
          epochs: done[0]?.epochs,
          halved: done.some(({ halved }) => halved !== undefined),
        },
      ];
    },
  );
  return { over: spec.over, type: spec.type, objective: objective.title, better: objective.better, trials };
}

interface Objective {
  readonly title: string;
  readonly better: 'higher' | 'lower';
  of(row: MeasuredRow): number | undefined;
}

function objectiveOf(name: string, primary: Primary): Objective {
  if (name === 'delta_m') return { title: 'delta-m %', better: 'higher', of: ({ delta }) => delta };
  const wanted = [...primary].find(([task, info]) => keyOf(task, info) === name);
  if (wanted) {
    const [task, info] = wanted;
    const title = `${task} ${info.name} ${info.unit}`.trim();
    return { title, better: info.better, of: ({ scores }) => scores.get(task)?.spread?.mean };
  }
  return { title: 'mean log score', better: 'higher', of: (row) => meanLog(row, primary) };
}

/** Mean over tasks of the logarithm of the primary metric, errors counting negative; as `evaluate.selection` has it. */
function meanLog({ scores }: MeasuredRow, primary: Primary): number | undefined {
  const logs = [...primary].flatMap(([task, { better }]) => {
    const mean = scores.get(task)?.spread?.mean;
    return mean === undefined ? [] : (better === 'higher' ? 1 : -1) * Math.log(Math.max(mean, 1e-12));
  });
  return logs.length === 0 || logs.length < primary.size
    ? undefined
    : logs.reduce((a, b) => a + b, 0) / logs.length;
}

/** Better first; trials without a score are left out, and so are those that ended early, behind those that did not. */
export function ranked({ trials, better }: SearchResult): SearchTrial[] {
  const sign = better === 'higher' ? 1 : -1;
  const scored = trials.filter(({ score }) => score !== undefined);
  const trained = ({ halved, epochs = 0 }: SearchTrial) => (halved ? epochs : Number.MAX_SAFE_INTEGER);
  return scored.sort((a, b) => trained(b) - trained(a) || sign * (b.score! - a.score!));
}

export interface Importance {
  readonly name: string;
  /** From 0 to 1. */
  readonly value: number;
}

/** Trials that importance is computed from, at least. */
const ENOUGH = 6;

/**
 * How much the score depends on each parameter alone: the absolute rank correlation (Spearman) of a range, and the
 * correlation ratio of ranks for choices. Of trials that were not ended early only. Empty if there are too few.
 */
export function importances(result: SearchResult): Importance[] {
  const order = ranked(result).filter(({ point }) => point);
  const scored = order.filter(({ halved }) => !halved);
  if (scored.length < ENOUGH) return [];
  const scores = scored.map(({ score }) => score!);
  return result.over
    .map(({ kind, path, name }) => {
      const values = scored.map(({ point }) => point![path]);
      const value =
        kind === 'range'
          ? Math.abs(rankCorrelation(values as number[], scores) ?? 0)
          : correlationRatio(values as string[], ranksOf(scores));
      return { name, value };
    })
    .sort((a, b) => b.value - a.value);
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Root of the share of the variance that lies between the groups. */
function correlationRatio(groups: readonly string[], values: readonly number[]): number {
  const all = mean(values);
  const total = values.reduce((sum, value) => sum + (value - all) ** 2, 0);
  const between = [...new Set(groups)].reduce((sum, group) => {
    const own = values.filter((_, i) => groups[i] === group);
    return sum + own.length * (mean(own) - all) ** 2;
  }, 0);
  return total === 0 ? 0 : Math.sqrt(between / total);
}
