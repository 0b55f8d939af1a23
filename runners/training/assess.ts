// Evaluates a trial at its current step and passes the scores to those that use them: the scheme, and the choice of
// the best weights.
import type { Measured, MetricValues } from '../../registry/contracts/learning.js';
import type { TaskScore } from '../../registry/contracts/scheme.js';
import type { EvaluatedSplit } from '../data/loader.js';
import { averaged } from './average.js';
import type { Predicted } from './evaluation.js';
import { type Assembly } from '../model/assemble.js';
import { primaryOf } from '../model/primary-metrics.js';
import { tellScores } from './processes/lead.js';
import { saveBest } from './save.js';
import { judgedSplit } from '../model/selection.js';
import { noteMemory, type RunningTrial } from './running-trial.js';

/** @param each sees every image of the split with its predictions */
export async function assess(running: RunningTrial, each?: (predicted: Predicted) => unknown): Promise<void> {
  const { trial, context, emit, parts, state } = running;
  const { scheme } = parts.criterion;
  const began = performance.now();
  const { epoch } = state;
  context.observe({ event: 'phase', what: `evaluating epoch ${epoch}` });
  const measured = await evaluateOn(running, 'val', each);
  noteMemory(running);
  emit({ event: 'evaluated', epoch, ...measured, seconds: (performance.now() - began) / 1000 });
  const split = judgedSplit(trial.config, scheme);
  const judged = split === 'val' ? measured : await evaluateOn(running, split);
  const score = parts.judge(judged.metrics);
  if (split !== 'val') emit({ event: 'judged', epoch, split, score: score ?? null, ...judged });
  const scores = primaryScores(parts, judged.metrics);
  scheme.evaluated?.(scores);
  tellScores(running, scores);
  tellUnjudged(running, judged, score);
  state.last = { epoch, ...measured };
  if (score !== undefined && (!state.best || score > state.best.score)) {
    state.best = { epoch, score, ...measured };
    saveBest(running);
  }
}

/** Warns about missing scores: whatever depends on them continues without them. */
function tellUnjudged({ trial, emit, parts, state }: RunningTrial, judged: Measured, score?: number): void {
  const { scheme } = parts.criterion;
  const unscored = parts.tasks
    .map(({ name }) => `${name}.${primaryOf(parts.metrics[name]).name}`)
    .filter((key) => judged.metrics[key] === null);
  const why = unscored.map((key) => `${key}: ${judged.absent?.[key]}`).join('; ');
  if (score === undefined && trial.config.evaluate.selection.rule === 'best')
    emit({ event: 'warning', message: `epoch ${state.epoch} cannot be the best: it has no score (${why})` });
  if (scheme.needs?.evaluation && unscored.length > 0)
    emit({ event: 'warning', message: `epoch ${state.epoch}: the scheme is told no score of ${why}` });
}

/**
 * Comes before the first step: images that do not fit, or labels that predictions cannot be compared with, must not come
 * to light after days of training. Looks at the first images of every split that will be scored.
 * @throws MtcpError `config` or `data`, as an evaluation would
 */
export async function rehearse({ trial, loader, evaluation, parts }: RunningTrial): Promise<void> {
  const { evaluate } = trial.config;
  for (const split of new Set<EvaluatedSplit>(['val', judgedSplit(trial.config, parts.criterion.scheme)]))
    for await (const batch of loader.evaluate(split, evaluate.batch)) {
      evaluation.requireComparable(batch);
      break;
    }
}

export function evaluateOn(
  { trial, loader, evaluation, average }: RunningTrial,
  split: EvaluatedSplit,
  each?: (predicted: Predicted) => unknown,
): Promise<Measured> {
  return averaged(average, () => evaluation.run(loader.evaluate(split, trial.config.evaluate.batch), each));
}

function primaryScores({ tasks, metrics }: Assembly, values: MetricValues): Record<string, TaskScore> {
  const scores = tasks.flatMap(({ name }) => {
    const { name: metric, unit, better } = primaryOf(metrics[name]);
    const value = values[`${name}.${metric}`];
    return typeof value !== 'number' ? [] : [[name, { value, unit, better }] as const];
  });
  return Object.fromEntries(scores);
}
