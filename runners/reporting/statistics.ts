// Numbers over seeds, delta-m, and how alike two orders are.
import type { MetricInfo } from '../../registry/contracts/learning.js';

export interface Spread {
  mean: number;
  /** Sample standard deviation; undefined for a single value. */
  deviation?: number;
  count: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  if (values.length < 2) return { mean, count: values.length };
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1);
  return { mean, deviation: Math.sqrt(variance), count: values.length };
}

/** A task's number with the direction in which it is better. */
export interface Score {
  value: number;
  better: MetricInfo['better'];
}

/**
 * Average relative gain over single-task baselines, in percent (Vandenhende et al. 2021):
 * 100 / K sum of +-(M - S) / S, minus where lower is better. Undefined if a baseline is 0: nothing is relative to it.
 */
export function deltaM(multi: readonly Score[], single: readonly number[]): number | undefined {
  if (single.includes(0)) return undefined;
  const gains = multi.map(
    ({ value, better }, i) => ((better === 'higher' ? 1 : -1) * (value - single[i])) / single[i],
  );
  return (100 * gains.reduce((a, b) => a + b, 0)) / gains.length;
}

export interface PairedDifference {
  /** Mean of the differences. */
  mean: number;
  /** Pairs. */
  count: number;
  /** Two-sided p of Student's t-test for paired samples; undefined for fewer than two pairs or no variance. */
  p?: number;
}

/** How much larger `a` is than `b`, pair by pair. */
export function pairedDifference(a: readonly number[], b: readonly number[]): PairedDifference {
  const { mean, deviation, count } = spreadOf(a.map((value, i) => value - b[i]));
  if (!deviation) return { mean, count };
  const t = mean / (deviation / Math.sqrt(count));
  return { mean, count, p: 1 - studentCentral(Math.abs(t), count - 1) };
}

/**
 * Spearman's rank correlation, from -1 (the reverse order) to 1 (the same order). Equal values share their mean rank.
 * Undefined for fewer than three pairs, or if all values of one side are equal.
 */
export function rankCorrelation(a: readonly number[], b: readonly number[]): number | undefined {
  if (a.length < 3) return undefined;
  const [x, y] = [ranksOf(a), ranksOf(b)];
  const middle = (a.length + 1) / 2;
  const product = (u: readonly number[], v: readonly number[]) =>
    u.reduce((sum, rank, i) => sum + (rank - middle) * (v[i] - middle), 0);
  const scale = Math.sqrt(product(x, x) * product(y, y));
  return scale === 0 ? undefined : product(x, y) / scale;
}

/** Ranks from 1; equal values have their mean rank. */
export const ranksOf = (values: readonly number[]): number[] =>
  values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return below + (equal + 1) / 2;
  });

/**
 * The probability that Student's t with a whole number of degrees of freedom lies within -t..t
 * (Abramowitz and Stegun 26.7.3 and 26.7.4).
 */
function studentCentral(t: number, degrees: number): number {
  const angle = Math.atan(t / Math.sqrt(degrees));
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
  const odd = degrees % 2 === 1;
  let [term, sum] = odd ? [cos, degrees > 1 ? cos : 0] : [1, 1];
  for (let k = odd ? 3 : 2; k <= degrees - 2; k += 2) {
    term *= (cos * cos * (k - 1)) / k;
    sum += term;
  }
  return odd ? (2 / Math.PI) * (angle + sin * sum) : sin * sum;
}
