// mtcp mlflow sync: sends everything in a folder of runs to a server, and closes runs whose processes have died.
import { existsSync, readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ownerOf } from '../../store/ledger/lease.js';
import { RESOLVED } from '../../store/resolved-file.js';
import { MtcpError } from '../../../registry/errors.js';
import { MlflowError, type MlflowClient } from './client/index.js';
import { experimentFolders } from '../../store/ledger/folders.js';
import { Follower, mayPass } from './follower.js';
import {
  beginInvocation,
  commandLine,
  readInvocations,
  writeInvocation,
  type Invocation,
} from './invocation.js';
import type { LoggingOptions } from './options.js';

export interface SyncOptions {
  /** Options for trials that were run without a tracker. */
  logging: LoggingOptions;
  warn?(message: string): void;
  /** Called with what there is left to send, again and again. */
  progress?(left: number): void;
  /** Passing faults in a row after which it is given up. */
  patience?: number;
}

export interface SyncResult {
  /** Runs, by folder, that the server knows in full now and did not before. */
  sent: string[];
  left: string[];
  /** Experiments that could not be sent, and why. */
  failed: { experiment: string; message: string }[];
}

/**
 * Sends what the server does not know yet, from whatever state earlier tries left it in. An experiment that cannot
 * be sent does not hold up the others.
 * @throws MlflowError if the server cannot be reached or does not let us in
 */
export async function syncRuns(
  client: MlflowClient,
  runs: string,
  options: SyncOptions,
): Promise<SyncResult> {
  const follower = new Follower(client, options);
  try {
    for (const folder of experimentFolders(resolve(runs)))
      try {
        adopt(folder, client, options.logging);
        follower.followAll(folder);
      } catch (error) {
        follower.hold(basename(folder), error as Error);
      }
    const before = follower.left;
    await drain(follower, options);
    const left = follower.left;
    return { sent: before.filter((name) => !left.includes(name)), left, failed: failuresOf(follower) };
  } finally {
    follower.release();
  }
}

const failuresOf = (follower: Follower): SyncResult['failed'] =>
  follower.held.map(({ experiment, error }) => ({
    experiment,
    message: MtcpError.is(error) ? error.format() : error.message,
  }));

/** Longest wait between two tries of an experiment, milliseconds. */
const LONGEST_REST = 100;

/** Passes until there is nothing to send that can be sent. */
async function drain(follower: Follower, { progress, patience = 5 }: SyncOptions): Promise<void> {
  for (let faults = 0; ;) {
    let moved = false;
    try {
      progress?.(follower.left.length);
      moved = await follower.pass(LONGEST_REST);
      faults = 0;
    } catch (error) {
      if (!MlflowError.is(error) || !error.passing || ++faults >= patience) throw error;
      await sleep(50);
      continue;
    }
    if (moved) continue;
    const again = follower.held.filter((held) => mayPass(held) && held.count < patience);
    if (again.length === 0) return;
    await sleep(Math.max(0, Math.min(...again.map(({ until }) => until)) - performance.now()));
  }
}

const TRIAL = /-s\d+-[0-9a-f]{8}$/;

/** Trials that ran without a tracker get an invocation of their own. */
function adopt(experimentFolder: string, client: MlflowClient, options: LoggingOptions): void {
  const known = new Set(readInvocations(experimentFolder).flatMap(({ record }) => record.trials));
  const trials = readdirSync(experimentFolder).filter(
    (name) =>
      TRIAL.test(name) && !known.has(name) && existsSync(join(experimentFolder, name, 'events.jsonl')),
  );
  if (trials.length === 0) return;
  const experiment = basename(experimentFolder);
  const { folder, record } = beginInvocation(
    {
      experiment,
      title: experiment,
      file: join(experimentFolder, trials[0], RESOLVED),
      profile: null,
      runs: resolve(experimentFolder, '..'),
      folder: experimentFolder,
      name: process.env.MLFLOW_EXPERIMENT_NAME || experiment,
      options,
      command: commandLine(),
    },
    client.transport.redactor,
  );
  writeInvocation(folder, {
    ...record,
    trials: [...new Set([...record.trials, ...trials])],
    outcome: 'finished',
    ended: new Date().toISOString(),
  });
}

/**
 * Closes runs that the server thinks are running although their process is dead, after sending what it left.
 * @returns names of what was closed, and what could not be looked after
 */
export async function closeDead(
  client: MlflowClient,
  runs: string,
  options: SyncOptions,
): Promise<{ closed: string[]; failed: SyncResult['failed'] }> {
  const follower = new Follower(client, options);
  const closed: string[] = [];
  const guarded = async (experiment: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      if (MlflowError.is(error) && error.total) throw error;
      follower.hold(experiment, error as Error);
    }
  };
  try {
    for (const home of experimentFolders(resolve(runs)))
      await guarded(basename(home), async () => {
        for (const { folder, record } of readInvocations(home))
          // The process that runs it logs it.
          if (record.outcome !== null || !ownerOf(folder)?.alive) follower.follow(folder, record);
      });
    const open = follower.invocations.filter(({ record }) => record.outcome === null);
    await drain(follower, options);
    for (const trial of follower.trials)
      await guarded(trial.invocation.name, async () => {
        if (trial.running && !trial.alive && (await trial.close())) closed.push(basename(trial.folder));
      });
    for (const invocation of open)
      await guarded(invocation.record.name, async () => {
        if (await invocation.close()) closed.push(`invocation ${invocation.record.key}`);
      });
    for (const name of new Set(follower.invocations.map(({ record }) => record.name)))
      await guarded(name, async () => void closed.push(...(await closeVanished(client, name, options))));
    return { closed, failed: failuresOf(follower) };
  } finally {
    follower.release();
  }
}

/** Runs of this machine whose folder is gone. */
async function closeVanished(
  client: MlflowClient,
  name: Invocation['name'],
  { warn }: SyncOptions,
): Promise<string[]> {
  const experiment = await client.experimentByName(name);
  if (!experiment) return [];
  const running = await client.searchRuns(
    [experiment.experiment_id],
    `attributes.status = 'RUNNING' AND tags."mtcp.host" = '${hostname()}'`,
  );
  const closed: string[] = [];
  for (const { info, data } of running) {
    const path = data?.tags?.find(({ key }) => key === 'mtcp.path')?.value;
    if (!path || existsSync(path)) continue;
    await client.updateRun(info.run_id, { status: 'KILLED', end_time: Date.now() });
    warn?.(`the folder of ${info.run_name ?? info.run_id} is gone: ${path}`);
    closed.push(info.run_name ?? info.run_id);
  }
  return closed;
}
