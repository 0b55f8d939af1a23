// Compares results with `report.expect`: bounds on numbers of rows, and rows that must be worse than others. `mtcp
// report --check` fails if an expectation does not hold.
import { MtcpError } from '../../registry/errors.js';
import { didYouMean } from '../../registry/support/near.js';
import type { Expectation } from '../config/index.js';
import { reasonsOf, scoreOf, type MeasuredRow, type Primary } from './measure.js';
import type { RowResult } from './row-result.js';
import { formatNumber } from './numbers.js';

/** Row to `task.metric` or `delta_m` to what is expected. */
export type Expectations = Record<string, Record<string, Expectation>>;

export interface Checked {
  row: string;
  number: string;
  /** What was expected, in words. */
  expected: string;
  /** undefined if there is no number yet. */
  actual: number | undefined;
  /** Why there is none, if that is known. */
  absent?: string;
  holds: boolean;
}

export function checkExpectations(
  expectations: Expectations,
  rows: readonly RowResult[],
  measured: readonly MeasuredRow[],
  primary: Primary,
): Checked[] {
  const lookUp = (row: string, number: string): Pick<Checked, 'actual' | 'absent'> => {
    const found = measured.find(({ name }) => name === row);
    if (number === 'delta_m') return { actual: found?.delta, absent: found?.deltaAbsent };
    const score = found && scoreOf(found.done, number);
    return { actual: score?.spread?.mean, ...(score && !score.spread && { absent: reasonsOf(score) }) };
  };
  const numberOf = (row: string, number: string) => lookUp(row, number).actual;
  const chosen = new Set(rows.map(({ trial }) => trial.row));
  // What is expected of rows that were not asked for is not looked at.
  const looked = ({ better_than: other, ...bounds }: Expectation): Expectation =>
    other !== undefined && chosen.has(other) ? { ...bounds, better_than: other } : bounds;
  return Object.entries(expectations)
    .filter(([row]) => chosen.has(row))
    .flatMap(([row, numbers]) =>
      Object.entries(numbers).flatMap(([number, expectation]) => {
        const { actual, absent } = lookUp(row, number);
        if (actual === undefined) requireKnown(row, number, rows);
        return conditions(number, looked(expectation), numberOf, primary).map(
          ({ expected, holds }): Checked => ({
            row,
            number,
            expected,
            actual,
            ...(absent !== undefined && { absent }),
            holds: actual !== undefined && holds(actual),
          }),
        );
      }),
    );
}

function conditions(
  number: string,
  { min, max, value, within = 0, better_than: other }: Expectation,
  numberOf: (row: string, number: string) => number | undefined,
  primary: Primary,
): { expected: string; holds(actual: number): boolean }[] {
  const all: { expected: string; holds(actual: number): boolean }[] = [];
  if (min !== undefined) all.push({ expected: `at least ${min}`, holds: (actual) => actual >= min });
  if (max !== undefined) all.push({ expected: `at most ${max}`, holds: (actual) => actual <= max });
  if (value !== undefined)
    all.push({ expected: `${value} ± ${within}`, holds: (actual) => Math.abs(actual - value) <= within });
  if (other !== undefined) {
    const theirs = numberOf(other, number);
    const higher = number === 'delta_m' || primary.get(number.split('.')[0])?.better === 'higher';
    all.push({
      expected: `better than ${other}${theirs === undefined ? ', which has none' : ` (${formatNumber(theirs)})`}`,
      holds: (actual) => theirs !== undefined && (higher ? actual > theirs : actual < theirs),
    });
  }
  return all;
}

/** A number that a finished trial does not have is a slip in the file. */
function requireKnown(row: string, number: string, rows: readonly RowResult[]): void {
  const known = rows
    .filter(({ trial }) => trial.row === row)
    .flatMap(({ result }) => Object.keys(result?.metrics ?? {}));
  if (known.length === 0 || known.includes(number) || number === 'delta_m') return;
  throw new MtcpError('config', `row "${row}" has no number "${number}" in report.expect`, {
    hint: didYouMean(number, new Set(known)),
  });
}
