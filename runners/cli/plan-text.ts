// What `mtcp plan` prints, with many rows too: one line for each row whatever seeds it has, and each name as seldom as possible.
import { inShort, type Difference } from '../config/index.js';
import { duration } from '../reporting/numbers.js';
import { textTable, type Column } from '../reporting/table.js';
import type { Duration } from '../app/durations.js';
import { columns, thousands } from './text.js';

export interface PlannedTrial {
  row: string;
  seed: number;
  state: string;
  parameters: number;
  nodes: number;
  /** Bytes. */
  memory: number;
  seconds: Duration | null;
  /** Parameters by section of the network. */
  sections: Readonly<Record<string, number>>;
  /** Rows that have to be done before. */
  after: readonly string[];
}

const right = (title: string): Column => ({ title, align: 'right' });

/** @param width of the terminal; a table that is wider has the sections of networks in a table of their own */
export function planTable(planned: readonly PlannedTrial[], width = Infinity): string {
  const rows = grouped(planned, ({ row }) => row);
  const sections = [...new Set(planned.flatMap((trial) => Object.keys(trial.sections)))];
  const timed = planned.some(({ seconds }) => seconds !== null);
  const several = [...rows.values()].some((trials) => trials.length > 1);
  const firsts = [...rows].map(([row, trials]) => ({ row, trials, first: trials[0] }));
  const bySection = ({ sections: own }: PlannedTrial) =>
    sections.map((section) => (own[section] === undefined ? '-' : thousands(own[section])));
  const main = (whole: boolean): string =>
    textTable(
      [
        { title: 'row' },
        several ? { title: 'seeds' } : right('seed'),
        { title: 'state' },
        right('parameters'),
        ...(whole ? sections.map(right) : []),
        right('graph nodes'),
        right('memory'),
        ...(timed ? [right('a step'), right('an epoch'), right('training')] : []),
      ],
      firsts.map(({ row, trials, first }) => [
        row,
        trials.map(({ seed }) => seed).join(', '),
        statesOf(trials),
        thousands(first.parameters),
        ...(whole ? bySection(first) : []),
        thousands(first.nodes),
        `${(first.memory / 1e9).toFixed(1)} GB`,
        ...(timed ? timesOf(first.seconds) : []),
      ]),
    );
  const whole = main(true);
  if (Math.max(...whole.split('\n').map(({ length }) => length)) <= width) return whole;
  const parts = textTable(
    [{ title: 'parameters of' }, ...sections.map(right)],
    firsts.map(({ row, first }) => [row, ...bySection(first)]),
  );
  return `${main(false)}\n\n${parts}`;
}

function grouped<T>(all: readonly T[], keyOf: (each: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const each of all) groups.set(keyOf(each), [...(groups.get(keyOf(each)) ?? []), each]);
  return groups;
}

/** "done", or "2 done, 1 queued". */
function statesOf(trials: readonly PlannedTrial[]): string {
  const states = grouped(trials, ({ state }) => state);
  if (states.size === 1) return trials[0].state;
  return [...states].map(([state, those]) => `${those.length} ${state}`).join(', ');
}

function timesOf(seconds: Duration | null): string[] {
  if (!seconds) return ['-', '-', '-'];
  const { step, epoch, training } = seconds;
  const shown = step < 10 ? `${(step * 1000).toFixed(0)} ms` : duration(step);
  return [shown, ...[epoch, training].map((each) => (each === undefined ? '-' : duration(each)))];
}

/** What is trained after what: a line for each group of rows that wait for the same ones. */
export function dependencyLines(planned: readonly PlannedTrial[]): string[] {
  const waiting = new Map<string, Set<string>>();
  for (const { row, after } of planned) {
    if (after.length === 0) continue;
    const key = after.join(', ');
    waiting.set(key, (waiting.get(key) ?? new Set()).add(row));
  }
  if (waiting.size === 0) return [];
  const lines = [...waiting].map(([after, rows]) => [[...rows].join(', '), `after ${after}`]);
  return ['', 'Order:', columns(lines, 2)];
}

/** Rows of the most frequent value that are still named. */
const FEW = 2;

/** A setting, and under it each of its values with the rows that have it. */
export function changeText({ path, values }: Difference): string {
  const rows = new Map<string, string[]>();
  for (const [row, value] of Object.entries(values)) {
    const shown = inShort(value);
    rows.set(shown, [...(rows.get(shown) ?? []), row]);
  }
  const most = [...rows.values()].reduce((a, b) => (b.length > a.length ? b : a));
  const listed = (names: readonly string[]) =>
    names === most && names.length > FEW
      ? `the other ${names.length} rows`
      : names.map((name) => JSON.stringify(name)).join(', ');
  return `  ${path}\n${columns(
    [...rows].map(([value, names]) => [value, listed(names)]),
    4,
  )}`;
}
