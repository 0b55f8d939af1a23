// Chooses the evaluation whose weights a trial reports: the last one, or the best one by some metric on some images.
// "val" is the benchmark's test split, so choosing there makes the reported numbers optimistic. It is possible
// because published code does it, and every table says so. Part of the training images can be held out instead.
import type { Metric, MetricValues } from '../../registry/contracts/learning.js';
import type { Scheme } from '../../registry/contracts/scheme.js';
import type { Task } from '../../registry/contracts/tasks.js';
import { didYouMean } from '../../registry/support/near.js';
import type { TrialSpec, TrialConfig } from '../config/trial.js';
import type { EvaluatedSplit } from '../data/loader.js';
import { PartError } from './part-error.js';

type WithSelection = Pick<TrialConfig, 'evaluate'>;

/** Larger is better; undefined if a metric that it goes by has no value. */
export type Judge = (metrics: MetricValues) => number | undefined;

/** The split whose scores decide about weights, of the network and of schemes that look at scores. */
export function judgedSplit({ evaluate }: WithSelection, scheme?: Pick<Scheme, 'needs'>): EvaluatedSplit {
  const { rule, split } = evaluate.selection;
  return split === 'held-out' && (rule === 'best' || scheme?.needs?.evaluation) ? 'held-out' : 'val';
}

/**
 * By `evaluate.selection.metric`: one metric, or with `all` the mean over tasks of the logarithm of the primary
 * metric, errors counting negative.
 * @throws PartError if no task has that metric
 */
export function judgeOf(
  config: WithSelection,
  tasks: readonly Task[],
  metrics: Record<string, Metric>,
): Judge {
  const { metric } = config.evaluate.selection;
  const known = tasks.flatMap(({ name }) =>
    metrics[name].values.map((info, i, all) => ({
      name: `${name}.${info.name}`,
      sign: info.better === 'higher' ? 1 : -1,
      primary: info.primary ?? (i === 0 && !all.some((other) => other.primary)),
    })),
  );
  if (metric === 'all') {
    const primary = known.filter((info) => info.primary);
    return (values) => {
      const found = primary.flatMap(({ name, sign }) => {
        const value = values[name];
        return typeof value !== 'number' ? [] : sign * Math.log(Math.max(value, 1e-12));
      });
      // Over fewer tasks it would be another score.
      return found.length < primary.length ? undefined : found.reduce((a, b) => a + b, 0) / found.length;
    };
  }
  const chosen = known.find(({ name }) => name === metric);
  if (!chosen)
    throw new PartError(
      ['evaluate', 'selection', 'metric'],
      `no task of this trial has a metric "${metric}"`,
      {
        hint: didYouMean(
          metric,
          known.map(({ name }) => name),
        ),
      },
    );
  return (values) => {
    const value = values[chosen.name];
    return typeof value !== 'number' ? undefined : chosen.sign * value;
  };
}

/**
 * Whether as many evaluations as `evaluate.patience` says have passed since the best one: training can end. A resumed
 * trial finds the same.
 */
export function isSettled(
  { evaluate: { patience, every } }: WithSelection,
  { best, last }: { best: { epoch: number } | null; last: { epoch: number } | null },
): boolean {
  if (patience === null || every === null || !best || !last) return false;
  return last.epoch - best.epoch >= patience * every;
}

/** How the weights of these trials were chosen, a sentence for each way; for captions of tables. */
export function selectionNotes(trials: readonly Pick<TrialSpec, 'row' | 'config'>[]): string[] {
  const rows = new Map<string, Set<string>>();
  for (const { row, config } of trials) {
    const { rule, split, metric, share } = config.evaluate.selection;
    const by = metric === 'all' ? 'the primary metrics of all tasks' : metric;
    const text =
      rule === 'last'
        ? 'Weights of the last epoch'
        : split === 'held-out'
          ? `Weights of the best epoch by ${by} on ${Math.round(100 * share)} % of the training images, held out from training`
          : `CHOSEN ON THE TEST SPLIT: weights of the best epoch by ${by} on the images that are reported, so the numbers are optimistic`;
    rows.set(text, (rows.get(text) ?? new Set()).add(row));
  }
  return [...rows].map(([text, names]) => `${text}${rows.size > 1 ? ` (${[...names].join(', ')})` : ''}.`);
}
