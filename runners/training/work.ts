// Works through the trials of an experiment: claims one after the other until none is left that is not done or
// another process's. A trial that fails does not stop the others.
import { availableParallelism } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { messageOf } from '../../registry/errors.js';
import type { TrialSpec } from '../config/index.js';
import type { DataSources } from './data-sources.js';
import { createEngine } from '../engine/index.js';
import type { Engine } from '../engine/engine.js';
import type { Claim, Entry, Ledger } from '../store/ledger/ledger.js';
import type { TrialState } from '../store/ledger/run-folder.js';
import { threadsOf } from '../model/parts.js';
import { Interrupted, type Observed } from './session.js';
import { runTrial } from './trial.js';

export type WorkEvent =
  | {
      event: 'trial';
      row: string;
      seed: number;
      index: number;
      of: number;
      /** What had become of it before. */
      state: TrialState;
      folder: string;
    }
  | ({ row: string; seed: number } & Observed);

export interface Failure {
  row: string;
  seed: number;
  message: string;
}

export interface Worked {
  failed: Failure[];
  /** True if it ended because it was asked to. */
  interrupted: boolean;
}

export interface WorkContext {
  ledger: Ledger;
  sources: DataSources;
  observe(event: WorkEvent): void;
  stopRequested(): boolean;
  /** Trials to leave alone. */
  skip?(entry: Entry): boolean;
}

/** Milliseconds between two looks at trials that others work on. */
const POLL = 500;

export async function workThrough(context: WorkContext): Promise<Worked> {
  const { ledger, stopRequested, skip } = context;
  const engines = new Engines();
  const failed: Failure[] = [];
  try {
    for (;;) {
      if (stopRequested()) return { failed, interrupted: true };
      const claim = ledger.claim(skip);
      for (const { entry, error } of ledger.refused.splice(0))
        failed.push({ row: entry.trial.row, seed: entry.trial.seed, message: error.format() });
      if (!claim) {
        if (!ledger.awaits(skip)) return { failed, interrupted: false };
        await setTimeout(POLL);
        continue;
      }
      try {
        await run(claim, engines, context);
      } catch (error) {
        if (error instanceof Interrupted) return { failed, interrupted: true };
        const { row, seed } = claim.trial;
        failed.push({ row, seed, message: messageOf(error) });
      } finally {
        claim.release();
      }
    }
  } finally {
    engines.close();
  }
}

async function run(
  { trial, folder, index, before, lease }: Claim,
  engines: Engines,
  { ledger, sources, observe, stopRequested }: WorkContext,
): Promise<void> {
  const { row, seed } = trial;
  const of = ledger.entries.length;
  observe({ event: 'trial', row, seed, index, of, state: before, folder: folder.path });
  await sources.prepare([trial]);
  await runTrial(trial, {
    engine: await engines.of(trial),
    folder,
    data: sources.about(trial),
    sourceFolder: (source) => ledger.folderOf(source),
    assertHeld: () => lease.assertHeld(),
    stopRequested,
    observe: (event) => observe({ row, seed, ...event }),
  });
}

/** Gives each of `jobs` processes its part of the machine; what a trial asks for itself stays. */
export function shareThreads(trials: readonly TrialSpec[], jobs: number): void {
  giveThreads(trials, Math.max(1, Math.floor(availableParallelism() / jobs)));
}

/** The same where it is known what a process may use. */
export function giveThreads(trials: readonly TrialSpec[], threads: number): void {
  for (const { config } of trials) {
    if ('threads' in config.engine) config.engine.threads ??= threads;
    config.train.workers ??= Math.max(1, Math.min(3, threads - 1));
  }
}

/** One engine for each choice, shared by the trials. */
class Engines {
  readonly #known = new Map<string, Engine>();

  async of(trial: TrialSpec): Promise<Engine> {
    const key = JSON.stringify([trial.config.engine, threadsOf(trial)]);
    let engine = this.#known.get(key);
    if (!engine) this.#known.set(key, (engine = await createEngine(trial.config.engine, threadsOf(trial))));
    return engine;
  }

  close(): void {
    for (const engine of this.#known.values()) engine.close();
  }
}
