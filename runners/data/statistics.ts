// What is counted over a split: the constant predictor, which ignores the image and is a baseline that every model has to
// beat, and how often each class occurs, for losses that weigh classes.
import { IGNORE, type ClassCounts, type Task } from '../../registry/contracts/tasks.js';
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

/**
 * How often each class occurs among the labelled pixels, at the size at which labels are stored.
 * @param batches an evaluation pass over the training split
 * @param tasks of kinds whose labels are class indices
 */
export async function countClasses(
  batches: AsyncIterable<EvaluationBatch>,
  tasks: readonly Task[],
): Promise<Record<string, ClassCounts>> {
  const counts = tasks.map(({ name, channels }) => ({
    name,
    pixels: Array<number>(channels).fill(0),
    inImages: Array<number>(channels).fill(0),
  }));
  for await (const { raw } of batches)
    for (const { labels } of raw)
      for (const { name, pixels, inImages } of counts) {
        const image = new Float64Array(IGNORE + 1);
        const { data } = labels[name];
        for (const value of data) image[value]++;
        const labelled = data.length - image[IGNORE];
        pixels.forEach((_, c) => {
          if (image[c] === 0) return;
          pixels[c] += image[c];
          inImages[c] += labelled;
        });
      }
  return Object.fromEntries(counts.map(({ name, ...rest }) => [name, rest]));
}
