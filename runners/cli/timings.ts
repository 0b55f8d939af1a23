// Where the time of a run went, as a table.
import type { Timings } from '../app/timings.js';
import { textTable } from '../reporting/table.js';

/** Of a phase its share of the whole run; of what the trials did, the share of their time together. */
export function timingsText({ phases, trials, count }: Timings): string {
  const table = (title: string, parts: readonly { what: string; seconds: number }[]) => {
    const total = parts.reduce((sum, { seconds }) => sum + seconds, 0);
    const rows = [...parts, { what: 'together', seconds: total }].map(({ what, seconds }) => [
      what,
      seconds.toFixed(1),
      total === 0 ? '' : ((100 * seconds) / total).toFixed(0),
    ]);
    return textTable([{ title }, { title: 'seconds', align: 'right' }, { title: '%', align: 'right' }], rows);
  };
  const parts = [table('the run, by the clock', phases)];
  if (count > 0) parts.push(table(`${count} ${count === 1 ? 'trial' : 'trials'}, added up`, trials));
  return `\n${parts.join('\n\n')}\n`;
}
