// The state of each trial of an experiment, read from the folder of runs alone.
import { existsSync, statSync } from 'node:fs';
import { readEvents } from './events.js';
import { describeOwner } from './owner.js';
import type { LedgerTrial, Ledger } from './ledger.js';
import type { TrialState } from './run-folder.js';

export interface TrialStatus {
  row: string;
  seed: number;
  hash: string;
  state: TrialState;
  /** Whole epochs done, of how many. */
  epoch: number;
  epochs: number;
  /** Seconds of training so far, without what a crash made void. */
  seconds: number;
  /** Seconds of training still to come, if the rest goes like the last epoch; null where that is not known. */
  left: number | null;
  /** Objective of the last epoch. */
  objective: number | null;
  /** ISO time of the last event. */
  updated: string | null;
  /** Who works on it, or died over it. */
  owner: string | null;
  /** Why it failed. */
  failure: string | null;
  /** Files of it that are damaged: which, and how. Does not include what `failure` says. */
  damaged: string[];
  folder: string;
}

export function statusOf(ledger: Ledger): TrialStatus[] {
  return ledger.entries.map((entry) => trialStatus(entry, ledger));
}

function trialStatus(entry: LedgerTrial, ledger: Ledger): TrialStatus {
  const { trial, folder } = entry;
  const events = readEvents(folder.events);
  const epochs = events.filter((event) => event.event === 'epoch');
  const last = epochs.at(-1);
  const state = ledger.state(entry);
  const failure = state === 'failed' ? (folder.failure()?.message ?? null) : null;
  const total = trial.config.train.epochs;
  const done = last?.epoch ?? 0;
  const owner = state === 'running' || state === 'stale' ? folder.owner(ledger.options) : undefined;
  return {
    row: trial.row,
    seed: trial.seed,
    hash: trial.hash,
    state,
    epoch: done,
    epochs: total,
    seconds: epochs.reduce((sum, { seconds }) => sum + seconds, 0),
    left: last && state !== 'done' ? (total - done) * last.seconds : null,
    objective: last?.objective ?? null,
    updated: existsSync(folder.events) ? statSync(folder.events).mtime.toISOString() : null,
    owner: owner ? describeOwner(owner.owner) : null,
    failure,
    damaged: folder.faults().filter((fault) => fault !== failure?.split('\n')[0]),
    folder: folder.path,
  };
}
