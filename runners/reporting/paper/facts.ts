// What the logs of trials say about how they were run: images, sizes of networks, machines and versions.
import { join } from 'node:path';
import { readEvents, type LoggedEvent } from '../../store/ledger/events.js';
import { compact } from '../numbers.js';
import type { RowResult } from '../row-result.js';

export interface Facts {
  /** A sentence for each data set. */
  data: string[];
  /** Row to its parameters and FLOPs. */
  sizes: Map<string, string>;
  seeds: number[];
  versions: string[];
  machines: string[];
  /** Of training a trial. */
  seconds?: { least: number; most: number };
  done: number;
  trials: number;
}

export function factsOf(rows: readonly RowResult[]): Facts {
  const done = rows.filter(({ result }) => result !== undefined);
  const starts = done.flatMap(({ folder }) =>
    readEvents(join(folder, 'events.jsonl')).filter(
      (event): event is LoggedEvent & { event: 'started' } => event.event === 'started',
    ),
  );
  const machines = starts.flatMap(({ machine }) => machine ?? []);
  const seconds = done.map(({ result }) => result!.seconds);
  const engines = [...new Set(done.map(({ result }) => result!.engine))];
  return {
    data: [
      ...new Set(
        starts.map(({ data: { caption, digest, notes }, images }) => {
          const counts = images
            ? `${images.train} images for training and ${images.val} for evaluation; `
            : '';
          return `The data are ${caption}: ${counts}digest of their content ${digest}.${notes.length > 0 ? ` ${notes.join('; ')}.` : ''}`;
        }),
      ),
    ],
    sizes: new Map(
      done.map(({ trial: { row }, result }) => [
        row,
        `${result!.parameters.toLocaleString('en-US')} trained parameters${result!.flops ? `, ${compact(result!.flops)} FLOPs for an image` : ''}`,
      ]),
    ),
    seeds: [...new Set(rows.map(({ trial }) => trial.seed))].sort((a, b) => a - b),
    versions: [
      ...new Set(
        machines.map(
          ({ mtcp, commit, node }) =>
            `mtcp ${mtcp}${commit === undefined ? '' : ` (commit ${commit.slice(0, 12)})`} on Node ${node}`,
        ),
      ),
      ...engines,
    ],
    machines: [
      ...new Set(
        machines.map(
          ({ processor, cores, memory, system }) =>
            `${processor}, ${cores} ${cores === 1 ? 'core' : 'cores'}, ${(memory / 1e9).toFixed(0)} GB of memory (${system})`,
        ),
      ),
    ],
    ...(seconds.length > 0 && { seconds: { least: Math.min(...seconds), most: Math.max(...seconds) } }),
    done: done.length,
    trials: rows.length,
  };
}
