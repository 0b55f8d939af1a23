// How far apart two rows have to be to be told apart. One seed says nothing about that, so an experiment may state the
// deviation over seeds that was measured once (`report.noise`), under its profile. With it the table does not call a
// row the best when another lies within the noise.
import type { MetricInfo } from '../../registry/contracts/learning.js';
import { own } from '../../registry/own.js';
import type { Experiment, Noise } from '../config/index.js';
import { keyOf, type MeasuredRow, type Primary } from './measure.js';

/** Deviations of a difference at which two rows are told apart; a normal difference of 0 exceeds it in 5 % of cases. */
const DEVIATIONS = 2;

/** The noise that is known under the profile of this report. */
export function noiseOf({ report: { noise }, profile }: Experiment): Noise | undefined {
  return noise?.profile === profile ? noise : undefined;
}

/**
 * The least difference of the means of two rows that counts, in the unit of the metric; 0 where no noise is known.
 * @param seeds of the row with the fewest, which has the widest error
 */
export function leastDifference(noise: Noise | undefined, key: string, seeds: number): number {
  const deviation = own(noise?.deviation, key) ?? 0;
  return deviation === 0 ? 0 : DEVIATIONS * deviation * Math.sqrt(2 / Math.max(1, seeds));
}

/** The fewest seeds of a row that has a value of this metric. */
export function fewestSeeds(measured: readonly MeasuredRow[], task: string): number {
  const counts = measured.flatMap(({ scores }) => scores.get(task)?.spread?.count ?? []);
  return Math.min(...counts);
}

/** For the caption: what is not told apart, and where that is from. */
export function noiseNotes(
  experiment: Experiment,
  measured: readonly MeasuredRow[],
  primary: Primary,
): string[] {
  const noise = noiseOf(experiment);
  if (!noise) return [];
  const limits = [...primary].flatMap(([task, info]) => {
    const least = leastDifference(noise, keyOf(task, info), fewestSeeds(measured, task));
    return least > 0 && Number.isFinite(least) ? [limit(task, info, least)] : [];
  });
  if (limits.length === 0) return [];
  return [
    `Seed noise: rows are not told apart if they differ by less than ${limits.join(', ')}: twice the deviation of a difference, from ${noise.source}.`,
  ];
}

const limit = (task: string, { name, unit }: MetricInfo, least: number): string =>
  `${Number(least.toPrecision(2))}${unit ? ` ${unit}` : ''} (${task} ${name})`;
