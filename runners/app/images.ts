// Where models fail: the images of a trial by their metrics, and two trials compared image by image.
import { MtcpError } from '../../registry/errors.js';
import { didYouMean } from '../../registry/support/near.js';
import { pairedDifference } from '../reporting/statistics.js';
import { readImageScores, type ImageScores, type ImageValue } from '../store/images.js';

export interface RankedImages {
  value: ImageValue;
  /** The worst first; images that could not be scored are left out. */
  images: { id: string; score: number }[];
}

export interface ImageChange {
  id: string;
  before: number;
  after: number;
  /** Difference in the direction in which the metric is better. */
  gain: number;
}

export interface ImageComparison {
  value: ImageValue;
  improved: number;
  worse: number;
  same: number;
  /** Mean gain. */
  mean: number;
  /** Two-sided p of the t-test for paired samples over images; undefined where it says nothing. */
  p?: number;
  /** The largest loss first. */
  changes: ImageChange[];
}

/**
 * @param folder of a trial
 * @throws MtcpError `usage` if it left no metrics of images, `io` if they are damaged
 */
export function imagesOf(folder: string): ImageScores {
  const scores = readImageScores(folder);
  if (!scores)
    throw new MtcpError('usage', `${folder} has no metrics of single images`, {
      hint: 'give the folder of a trial that is done, such as runs/table3/mt-cp-s0-1a2b3c4d; trials of earlier versions have none',
    });
  return scores;
}

/** Every task's images, ranked by its metric. */
export function rankedImages(scores: ImageScores, task?: string): RankedImages[] {
  return rankedBy(scores, task).map(({ value, at }) => {
    const sign = value.better === 'higher' ? 1 : -1;
    const images = scores.images.flatMap(({ id, values }) => {
      const score = values[at];
      return score === null ? [] : [{ id, score }];
    });
    return { value, images: images.sort((a, b) => sign * (a.score - b.score)) };
  });
}

/**
 * The second trial against the first, over the images and tasks that both have.
 * @throws MtcpError `usage` if they have none in common
 */
export function compareImages(before: ImageScores, after: ImageScores, task?: string): ImageComparison[] {
  const later = new Map(after.images.map(({ id, values }) => [id, values]));
  const comparisons = rankedBy(before, task).flatMap(({ value, at }): ImageComparison[] => {
    const other = after.values.findIndex(({ task, name }) => task === value.task && name === value.name);
    const sign = value.better === 'higher' ? 1 : -1;
    const changes = before.images.flatMap(({ id, values }): ImageChange[] => {
      const [a, b] = [values[at], later.get(id)?.[other]];
      if (a === null || b === null || b === undefined) return [];
      return [{ id, before: a, after: b, gain: sign * (b - a) }];
    });
    if (changes.length === 0) return [];
    const { mean, p } = pairedDifference(
      changes.map(({ gain }) => gain),
      changes.map(() => 0),
    );
    const count = (which: (gain: number) => boolean) => changes.filter(({ gain }) => which(gain)).length;
    return [
      {
        value,
        improved: count((gain) => gain > 0),
        worse: count((gain) => gain < 0),
        same: count((gain) => gain === 0),
        mean,
        ...(p !== undefined && { p }),
        changes: changes.sort((a, b) => a.gain - b.gain),
      },
    ];
  });
  if (comparisons.length === 0)
    throw new MtcpError('usage', 'the two trials have no image of a task in common', {
      hint: 'compare trials of one data set, with the same metric of at least one task',
    });
  return comparisons;
}

/** The values that images are ranked by, with where they are in each image's list. */
function rankedBy({ values }: ImageScores, task?: string): { value: ImageValue; at: number }[] {
  const primary = values.map((value, at) => ({ value, at })).filter(({ value }) => value.primary);
  if (task === undefined) return primary;
  const names = primary.map(({ value }) => value.task);
  if (!names.includes(task))
    throw new MtcpError('usage', `the trial has no task "${task}"`, {
      where: `argument "--task ${task}"`,
      hint: didYouMean(task, names),
    });
  return primary.filter(({ value }) => value.task === task);
}
