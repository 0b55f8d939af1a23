// Evaluates a trial where it is, and lets those know who go by its scores: the scheme, and the choice of the best
// weights.
import type { TaskScore } from '../../registry/contracts/learning.js';
import type { EvaluatedSplit } from '../data/loader.js';
import type { Predicted } from './evaluation.js';
import { type Assembly } from '../model/assemble.js';
import { primaryOf } from '../model/primary-metrics.js';
import { saveBest } from './save.js';
import { judgedSplit } from '../model/selection.js';
import { noteMemory, type Session } from './session.js';

/** @param each sees every image of the split with its predictions */
export async function assess(session: Session, each?: (predicted: Predicted) => void): Promise<void> {
  const { trial, context, emit, parts, state } = session;
  const { scheme } = parts.criterion;
  const began = performance.now();
  const { epoch } = state;
  context.observe({ event: 'phase', what: `evaluating epoch ${epoch}` });
  const metrics = await evaluateOn(session, 'val', each);
  noteMemory(session);
  emit({ event: 'evaluated', epoch, metrics, seconds: (performance.now() - began) / 1000 });
  const split = judgedSplit(trial.config, scheme);
  const judged = split === 'val' ? metrics : await evaluateOn(session, split);
  const score = parts.judge(judged);
  if (split !== 'val') emit({ event: 'judged', epoch, split, score, metrics: judged });
  scheme.evaluated?.(primaryScores(parts, judged));
  state.last = { epoch, metrics };
  if (!state.best || score > state.best.score) {
    state.best = { epoch, score, metrics };
    saveBest(session);
  }
}

export function evaluateOn(
  { trial, loader, evaluation }: Session,
  split: EvaluatedSplit,
  each?: (predicted: Predicted) => void,
): Promise<Record<string, number>> {
  return evaluation.run(loader.evaluate(split, trial.config.evaluate.batch), each);
}

function primaryScores(
  { tasks, metrics }: Assembly,
  values: Record<string, number>,
): Record<string, TaskScore> {
  const scores = tasks.map(({ name }) => {
    const { name: metric, unit, better } = primaryOf(metrics[name]);
    return [name, { value: values[`${name}.${metric}`], unit, better }] as const;
  });
  return Object.fromEntries(scores);
}
