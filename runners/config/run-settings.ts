// Settings of a process that are not part of a trial's identity: its share of the machine. The threads and workers in
// a trial's configuration take precedence.
import { availableParallelism } from 'node:os';
import { MtcpError } from '../../registry/errors.js';
import type { TrialConfig } from './trial.js';

export interface RunSettings {
  /** Threads that this process may use; all of the machine if left out. */
  readonly threads?: number;
  /** Processes on this machine that share each trial, and its threads; 1 if left out. */
  readonly processes?: number;
}

/**
 * The part of each process that shares this machine.
 * @param jobs trials at once
 * @param processes of each trial
 */
export const shareOf = (jobs: number, processes = 1): RunSettings => ({
  threads: Math.max(1, Math.floor(availableParallelism() / (jobs * processes))),
  ...(processes > 1 && { processes }),
});

/** Threads of a trial's engine. */
export function threadsOf(
  { engine }: Pick<TrialConfig, 'engine'>,
  { threads, processes = 1 }: RunSettings = {},
): number {
  const given = 'threads' in engine ? engine.threads : null;
  if (given !== null) return Math.max(1, Math.floor(given / processes));
  return threads ?? availableParallelism();
}

/** Threads that decode and augment; undefined leaves it to the loader. */
export const workersOf = (
  { train }: Pick<TrialConfig, 'train'>,
  { threads }: RunSettings = {},
): number | undefined =>
  train.workers ?? (threads === undefined ? undefined : Math.max(1, Math.min(3, threads - 1)));

/**
 * A configuration with the threads that `--threads` asks for.
 * @throws MtcpError `usage` if the engine has one thread
 */
export function withThreads(threads: number | undefined, config: TrialConfig): TrialConfig {
  const { engine } = config;
  if (threads === undefined) return config;
  if (!('threads' in engine))
    throw new MtcpError('usage', `the engine "${engine.type}" has one thread`, {
      where: `argument "--threads ${threads}"`,
    });
  return { ...config, engine: { ...engine, threads } };
}
