// Numbers over seeds, and delta-m.
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
 * 100 / K sum of +-(M - S) / S, minus where lower is better.
 */
export function deltaM(multi: readonly Score[], single: readonly number[]): number {
  const gains = multi.map(
    ({ value, better }, i) => ((better === 'higher' ? 1 : -1) * (value - single[i])) / single[i],
  );
  return (100 * gains.reduce((a, b) => a + b, 0)) / gains.length;
}
