// The constant predictor, which ignores the image: a baseline that every model has to beat.
import type { Task } from '../../registry/contracts/tasks.js';
import { kindOf } from '../../registry/kinds.js';
import type { EvaluationBatch } from './batch.js';

/** The best constant for a task over a split, as its kind has it; null where no pixel has a known label. */
export type Constant = readonly number[] | null;

/** @param batches an evaluation pass, such as `loader.evaluate('train', 4)` */
export async function splitStatistics(
  batches: AsyncIterable<EvaluationBatch>,
  tasks: readonly Task[],
): Promise<Record<string, Constant>> {
  const tallies = new Map(tasks.map((task) => [task.name, kindOf(task).tally(task)]));
  for await (const { raw } of batches)
    for (const { labels } of raw) for (const [name, tally] of tallies) tally.add(labels[name]);
  return Object.fromEntries([...tallies].map(([name, tally]) => [name, tally.constant()]));
}
