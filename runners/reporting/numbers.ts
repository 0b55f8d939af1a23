// Numbers as tables show them.
import type { Spread } from './statistics.js';

export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  return Math.abs(value) >= 10 ? value.toFixed(2) : value.toFixed(4);
}

export const formatSpread = ({ mean, deviation }: Spread): string =>
  deviation === undefined ? formatNumber(mean) : `${formatNumber(mean)} ± ${formatNumber(deviation)}`;

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
