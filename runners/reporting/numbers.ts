// Formats numbers for tables. All numbers of a column have the same decimals: four significant digits of the largest,
// and more if the rows differ by less.
import type { Spread } from './statistics.js';

const SIGNIFICANT = 4;
/** Digits of the difference between the least and the largest number of a column that have to be seen. */
const DISTINCT = 2;
const MOST = 6;

/** Decimals for a column with these numbers. */
export function decimalsFor(values: readonly number[]): number {
  const finite = values.filter(Number.isFinite);
  const largest = Math.max(0, ...finite.map(Math.abs));
  if (largest === 0) return 2;
  const spread = Math.max(...finite) - Math.min(...finite);
  const byLargest = SIGNIFICANT - 1 - Math.floor(Math.log10(largest));
  // Differences below the precision of the numbers themselves are noise of the arithmetic.
  const bySpread = spread > largest * 1e-6 ? DISTINCT - 1 - Math.floor(Math.log10(spread)) : 0;
  return Math.max(0, Math.min(MOST, Math.max(byLargest, bySpread)));
}

/** @param decimals of the column; by default as many as the number by itself needs */
export function formatNumber(value: number, decimals = decimalsFor([value])): string {
  if (!Number.isFinite(value)) return String(value);
  const text = value.toFixed(decimals);
  // What is not 0 must not read as 0.
  return value !== 0 && Number(text) === 0 ? value.toPrecision(2) : text;
}

export const formatSpread = ({ mean, deviation }: Spread, decimals = decimalsFor([mean])): string =>
  deviation === undefined
    ? formatNumber(mean, decimals)
    : `${formatNumber(mean, decimals)} ± ${deviation.toFixed(decimals)}`;

export const signed = (value: number, digits = 2): string =>
  `${value >= 0 ? '+' : ''}${value.toFixed(digits)}`;

export function duration(seconds: number): string {
  if (seconds < 100) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 100 ? `${minutes} min ${Math.round(seconds % 60)} s` : `${(minutes / 60).toFixed(1)} h`;
}

/** 1234567 -> 1.23 M */
export function compact(value: number, units: readonly string[] = ['', ' k', ' M', ' G', ' T']): string {
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : value.toPrecision(3)}${units[unit]}`;
}
