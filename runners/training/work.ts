// Trains the trials of an experiment: claims one after the other until all are done or claimed by other processes. A
// trial that fails does not stop the others.
import { setTimeout } from 'node:timers/promises';
import { messageOf } from '../../registry/errors.js';
import { threadsOf, type RunSettings, type TrialSpec } from '../config/index.js';
import type { DataSources } from './data-sources.js';
import { DeviceError, isLost } from '../engine/device-error.js';
import { closeClients, createEngine } from '../engine/index.js';
import type { Engine } from '../engine/engine.js';
import type { Claim, LedgerTrial, Ledger, TrialRef } from '../store/ledger/ledger.js';
import { EventLog } from '../store/ledger/events.js';
import type { RunFolder, TrialState } from '../store/ledger/run-folder.js';
import { ProcessLost } from '../support/team/errors.js';
import { Interrupted } from './interrupted.js';
import type { Observed } from './running-trial.js';
import type { Processes } from './processes/processes.js';
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
  /** Set if it ended because this process's device has stopped working: another process may go on. */
  lost?: boolean;
  /** Set if it ended because another process that shares its trials was lost, which nothing here can start again. */
  alone?: boolean;
}

export interface WorkContext<T extends TrialRef = TrialSpec> {
  ledger: Ledger<T>;
  /** The whole of a trial that was claimed. */
  specOf(trial: T): TrialSpec;
  sources: DataSources;
  /** This process's part of the machine. */
  settings?: RunSettings;
  /** Those that share each trial; by default this one trains alone. */
  processes?: Processes;
  observe(event: WorkEvent): void;
  stopRequested(): boolean;
  /** Trials to leave alone. */
  skip?(entry: LedgerTrial<T>): boolean;
}

/** Milliseconds between two looks at trials that others work on. */
const POLL = 500;

export async function workThrough<T extends TrialRef>(context: WorkContext<T>): Promise<Worked> {
  const { ledger, stopRequested, skip } = context;
  const engines = new Engines(context.settings);
  const failed: Failure[] = [];
  let lost = false;
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
        if (isLost(error)) {
          lost = true;
          return { failed, interrupted: false, lost };
        }
        if (error instanceof ProcessLost && context.processes?.areRenewed === false)
          return { failed, interrupted: false, alone: true };
        // What a trial without memory held there is not to be missing for the next one.
        if (error instanceof DeviceError) engines.close();
      } finally {
        claim.release();
      }
    }
  } finally {
    engines.close();
    // The process that goes on finds the device free.
    if (lost) closeClients();
  }
}

async function run<T extends TrialRef>(
  { trial: claimed, folder, index, before, lease }: Claim<T>,
  engines: Engines,
  { ledger, specOf, sources, settings, processes, observe, stopRequested }: WorkContext<T>,
): Promise<void> {
  const { row, seed } = claimed;
  const of = ledger.entries.length;
  observe({ event: 'trial', row, seed, index, of, state: before, folder: folder.path });
  const trial = await orFailed(folder, () => specOf(claimed));
  await sources.prepare([trial]);
  await runTrial(trial, {
    engine: await orFailed(folder, () => engines.of(trial)),
    settings,
    processes,
    folder,
    data: sources.about(trial),
    counts: await sources.classCounts(trial),
    sourceFolder: (source) => ledger.folderOf(source),
    assertHeld: () => lease.assertHeld(),
    stopRequested,
    observe: (event) => observe({ row, seed, ...event }),
  });
}

/** A trial that cannot be read in full, or that has no engine, has failed, and its folder says so. */
async function orFailed<T>(folder: RunFolder, make: () => T | Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    new EventLog(folder.events).append({ event: 'failed', message: messageOf(error) });
    throw error;
  }
}

/** One engine for each choice, shared by the trials. */
class Engines {
  readonly #known = new Map<string, Engine>();

  constructor(readonly settings: RunSettings | undefined) {}

  async of({ config }: TrialSpec): Promise<Engine> {
    const threads = threadsOf(config, this.settings);
    const key = JSON.stringify([config.engine, threads]);
    let engine = this.#known.get(key);
    if (!engine) this.#known.set(key, (engine = await createEngine(config.engine, threads)));
    return engine;
  }

  close(): void {
    for (const engine of this.#known.values()) engine.close();
    this.#known.clear();
  }
}
