// Limits on numbers of threads and processes. A file may come from a larger machine than the one that reads it, so
// the limits are generous. A number beyond them is a mistake and could bring the machine down.
import { availableParallelism } from 'node:os';
import { MtcpError, MtcpErrors } from '../../registry/errors.js';
import type { Experiment } from './experiment.js';

/** The most threads, worker threads or processes. */
export const MOST_THREADS = Math.max(256, 8 * availableParallelism());

export const threadsHint = (): string =>
  `this machine has ${availableParallelism()} cores; at most ${MOST_THREADS} are accepted`;

/** @throws MtcpErrors `config` at each number that is out of proportion */
export function refuseExcess({ trials, provenance }: Pick<Experiment, 'trials' | 'provenance'>): void {
  const faults = new Map<string, MtcpError>();
  for (const trial of trials) {
    const { engine, train } = trial.config;
    const asked = [
      [['engine', 'threads'], 'threads' in engine ? engine.threads : null, 'threads'],
      [['train', 'workers'], train.workers, 'worker threads'],
    ] as const;
    for (const [path, count, what] of asked) {
      if (count === null || count <= MOST_THREADS) continue;
      const where = provenance(trial).locate(path);
      const fault = new MtcpError('config', `${count} ${what} are too many`, { where, hint: threadsHint() });
      faults.set(where, fault);
    }
  }
  const all = [...faults.values()];
  if (all.length === 1) throw all[0];
  if (all.length > 1) throw new MtcpErrors('config', all);
}
