// Settings of a process that are not part of a trial's identity: its share of the machine. The threads and workers in
// a trial's configuration take precedence.
import { availableParallelism } from 'node:os';
import { MtcpError } from '../../registry/errors.js';
import type { TrialConfig } from './trial.js';

export interface RunSettings {
  /** Threads that this process may use; all of the machine if left out. */
  readonly threads?: number;
}

/** The part of each of `jobs` processes that share this machine. */
export const shareOf = (jobs: number): RunSettings => ({
  threads: Math.max(1, Math.floor(availableParallelism() / jobs)),
});

/** Threads of a trial's engine. */
export const threadsOf = ({ engine }: Pick<TrialConfig, 'engine'>, { threads }: RunSettings = {}): number =>
  ('threads' in engine ? engine.threads : null) ?? threads ?? availableParallelism();

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
