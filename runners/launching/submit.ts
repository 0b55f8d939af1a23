// Hands an experiment's trials to a batch system and, if wanted, waits for them. The jobs need nothing of this process:
// it may end, or be started again and watch on. What is waiting or running already is not handed in twice.
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Slot } from '../../registry/container.js';
import type { BatchLauncher, JobRequest } from '../../registry/contracts/launching.js';
import { MtcpError } from '../../registry/errors.js';
import type { Experiment, TrialSpec } from '../config/index.js';
import { readEvents } from '../store/ledger/events.js';
import { writeWhole } from '../support/files.js';
import type { LedgerTrial, Ledger } from '../store/ledger/ledger.js';
import type { TrialState } from '../store/ledger/run-folder.js';
import type { Failure, Worked } from '../training/work.js';
import { endOf, isLost, Jobs, type TrialJob } from './jobs.js';
import { JOBS, SubmissionFolder, tail, type Group, type Submission } from './submission.js';

export type JobEvent =
  | {
      event: 'submitted';
      system: string;
      job: string;
      tasks: number;
      trials: number;
      /** The script that was handed in. */
      script: string;
    }
  /** Now and then, and whenever one of the numbers changes. */
  | {
      event: 'jobs';
      trials: number;
      done: number;
      running: number;
      waiting: number;
      failed: number;
      /** Epochs that are done, of all trials. */
      epochs: number;
      of: number;
      /** Why jobs wait. */
      reasons: string[];
    }
  /** What has become of a trial. */
  | {
      event: 'job';
      row: string;
      seed: number;
      state: TrialState;
      job: string | null;
      node: string | null;
      /** Why it is not done, if nobody is going to do it. */
      message: string | null;
      log: string | null;
      /** Of the trial. */
      folder: string;
    };

export interface BatchContext {
  experiment: Experiment;
  ledger: Ledger;
  /** Folder of all runs. */
  runs: string;
  launcher: BatchLauncher;
  slot: Slot;
  jobs: Jobs;
  /** Trials in these states; `failed` includes those whose job ended before they were done. */
  only?: readonly TrialState[];
  command: string;
  observe(event: JobEvent): void;
}

/**
 * Hands in what is to be done and watches until no job is left.
 * @throws MtcpError if the batch system does not answer or takes no job
 */
export async function runInJobs(
  context: BatchContext,
  { detach = false, stopRequested }: { detach?: boolean; stopRequested(): boolean },
): Promise<Worked & { detached: boolean }> {
  const { jobs, launcher } = context;
  if (jobs.any) await jobs.refresh();
  // Without knowing what is there already, everything would be handed in again.
  if (jobs.fault !== undefined)
    throw new MtcpError('io', jobs.fault, { where: `launcher ${launcher.system}` });
  const wanted = wantedIn(context);
  if (wanted.length > 0) await submit(context, await planBatch(context, wanted));
  if (detach) return { failed: [], interrupted: false, detached: true };
  const ended = await watch(context, stopRequested);
  return { failed: ended ? failuresIn(context) : [], interrupted: !ended, detached: !ended };
}

/** What would be handed in. */
export interface BatchPlan {
  folder: SubmissionFolder;
  record: Submission;
  trials: readonly TrialSpec[];
  scripts: { path: string; text: string; command: string }[];
}

/** Trials that are to be done and that no job and no process is there for. */
export function wantedIn({
  ledger,
  jobs,
  only,
}: Pick<BatchContext, 'ledger' | 'jobs' | 'only'>): LedgerTrial[] {
  return ledger.entries.filter((entry) => {
    const state = ledger.state(entry);
    const job = jobs.job(entry.trial);
    if (state === 'done' || state === 'running' || (job && job.phase !== 'ended')) return false;
    return !only || only.includes(state) || (only.includes('failed') && isLost(state, job));
  });
}

const MAIN = fileURLToPath(new URL('../cli/main.js', import.meta.url));

export async function planBatch(context: BatchContext, wanted: readonly LedgerTrial[]): Promise<BatchPlan> {
  const { experiment, runs, launcher, slot } = context;
  const waves = wavesOf(wanted.map(({ trial }) => trial));
  const trials = waves.flat();
  const created = new Date().toISOString();
  const key = `${created.replace(/\D/g, '').slice(0, 14)}-${randomUUID().slice(0, 4)}`;
  const folder = new SubmissionFolder(resolve(runs, experiment.name, JOBS, key));
  const groups: Group[] = [];
  for (const wave of waves) {
    const { tasks, each } = await launcher.divide(wave.length);
    groups.push({
      name: String(groups.length + 1),
      first: groups.reduce((sum, group) => sum + group.trials, 0),
      trials: wave.length,
      tasks,
      each,
      after: groups.map(({ name }) => name),
      afterJobs: [...new Set(wave.flatMap((trial) => earlierJobs(trial, context.jobs)))],
      job: null,
    });
  }
  const record: Submission = {
    format: 1,
    key,
    experiment: experiment.name,
    profile: experiment.profile,
    file: experiment.file,
    command: context.command,
    launcher: slot,
    plugins: trials[0].plugins,
    user: userInfo().username,
    host: hostname(),
    cwd: process.cwd(),
    created,
    groups,
  };
  const scripts = groups.map((group) => {
    const path = folder.script(group.name);
    return {
      path,
      text: launcher.script(requestOf(record, group, folder)),
      command: launcher.submitCommand(path, [...group.afterJobs, ...group.after.map((name) => `JOB${name}`)]),
    };
  });
  return { folder, record, trials, scripts };
}

/** Trials that wait for others come after those. */
function wavesOf(trials: readonly TrialSpec[]): TrialSpec[][] {
  const here = new Set(trials.map(({ hash }) => hash));
  const levels = new Map<string, number>();
  const level = (trial: TrialSpec): number => {
    const known = levels.get(trial.hash);
    if (known !== undefined) return known;
    const before = sourcesOf(trial).filter(({ hash }) => here.has(hash));
    const own = before.length === 0 ? 0 : 1 + Math.max(...before.map(level));
    levels.set(trial.hash, own);
    return own;
  };
  const waves: TrialSpec[][] = [];
  for (const trial of trials) (waves[level(trial)] ??= []).push(trial);
  return waves;
}

const sourcesOf = ({ sources }: TrialSpec): TrialSpec[] => Object.values(sources);

/** Jobs of earlier submissions that are there for what a trial depends on. */
function earlierJobs(trial: TrialSpec, jobs: Jobs): string[] {
  return sourcesOf(trial).flatMap((source) => {
    const job = jobs.job(source);
    return job && job.phase !== 'ended' ? [job.job] : [];
  });
}

function requestOf(record: Submission, group: Group, folder: SubmissionFolder): JobRequest {
  const { experiment, profile, groups } = record;
  const { name, trials, tasks, each, after } = group;
  const words = ['work', folder.path, '--group', name];
  const of = groups.length > 1 ? ` (part ${name} of ${groups.length})` : '';
  return {
    name: groups.length > 1 ? `${experiment}-${name}` : experiment,
    about: [
      `${experiment}${profile ? `, profile ${profile}` : ''}: ${count(trials, 'trial')} in ${count(tasks, 'task')}${of}. Written by: ${record.command}`,
      each === 1
        ? 'A task trains the trial of its number or, if somebody else has that, the next one that is free.'
        : `A task trains ${each} trials, one after the other, those of its number first, and none that somebody else has.`,
      ...(after.length > 0 ? [`The trials depend on those of part ${after.join(', ')}.`] : []),
      'Handing it in again by hand does no harm: what is done or under way is left alone.',
    ],
    tasks,
    cwd: record.cwd,
    command: [process.execPath, MAIN, ...words],
    arguments: words,
    logs: folder.logs,
    records: folder.records(name),
  };
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;

/**
 * Writes everything that jobs need, then hands the scripts in. If the system refuses one, the ones before it are
 * taken back and nothing is left.
 */
export async function submit(context: BatchContext, plan: BatchPlan): Promise<void> {
  const { launcher, observe, jobs } = context;
  const { folder, record, trials, scripts } = plan;
  const handed: { job: string; group: Group }[] = [];
  try {
    folder.writeTrials(trials, context.ledger.attempts);
    writeWhole(join(folder.logs, '.keep'), '');
    writeWhole(join(folder.tasks, '.keep'), '');
    for (const { path, text } of scripts) writeWhole(path, text);
    folder.write(record);
    for (const group of record.groups) {
      const script = folder.script(group.name);
      group.job = await launcher.submit(script, [...group.afterJobs, ...handed.map(({ job }) => job)]);
      handed.push({ job: group.job, group });
      folder.write(record);
    }
  } catch (error) {
    const tasks = handed.flatMap(({ job, group }) =>
      Array.from({ length: group.tasks }, (_, task) => ({ job, task })),
    );
    await launcher.cancel(tasks).catch(() => {});
    rmSync(folder.path, { recursive: true, force: true });
    throw error;
  }
  jobs.add(folder, record);
  for (const { job, group } of handed)
    observe({
      event: 'submitted',
      system: launcher.system,
      job,
      tasks: group.tasks,
      trials: group.trials,
      script: folder.script(group.name),
    });
}

/** Milliseconds between two looks, at least and at most, and how many times longer than a look itself. */
const POLL = 2000;
const RAREST = 30_000;
const RARER = 20;
/** Looks at a system that does not know a job yet, or any more, before the job counts as gone. */
const GRACE = 3;

/**
 * Watches the trials of an experiment until no job is left that would do one.
 * @returns false if it was told to stop before
 */
export async function watch(
  context: Pick<BatchContext, 'ledger' | 'jobs' | 'observe'>,
  stopRequested: () => boolean,
): Promise<boolean> {
  const { ledger, jobs, observe } = context;
  const told = new Map<LedgerTrial, string>();
  let summary = '';
  for (let quiet = 0; ;) {
    const began = performance.now();
    await jobs.refresh();
    const views = ledger.entries.map((entry) => viewOf(entry, ledger, jobs));
    for (const view of views) {
      const text = `${view.state} ${view.lost} ${view.job?.phase === 'waiting'}`;
      const before = told.get(view.entry);
      told.set(view.entry, text);
      if (before === undefined ? view.state === 'running' : before !== text) observe(jobEvent(view));
    }
    const event = summaryOf(views);
    if (JSON.stringify(event) !== summary) observe(event);
    summary = JSON.stringify(event);
    const live = views.some(({ job, state }) => state === 'running' || (job && job.phase !== 'ended'));
    quiet = live || jobs.fault !== undefined ? 0 : quiet + 1;
    if (quiet >= GRACE || views.every(({ state }) => state === 'done')) return true;
    // A system that does not answer has kept us waiting already; its silence is not its load.
    const load = jobs.fault === undefined ? RARER * (performance.now() - began) : 0;
    const rest = Math.min(RAREST, Math.max(POLL, load));
    for (const end = performance.now() + rest; performance.now() < end; await sleep(100))
      if (stopRequested()) return false;
  }
}

interface View {
  entry: LedgerTrial;
  state: TrialState;
  job: TrialJob | undefined;
  /** Nobody is going to do it. */
  lost: boolean;
}

function viewOf(entry: LedgerTrial, ledger: Ledger, jobs: Jobs): View {
  const state = ledger.state(entry);
  const job = state === 'done' ? undefined : jobs.job(entry.trial);
  return { entry, state, job, lost: isLost(state, job) };
}

function summaryOf(views: readonly View[]): JobEvent {
  const is = (state: TrialState) => views.filter((view) => view.state === state).length;
  const waiting = views.filter(({ job, state }) => job?.phase === 'waiting' && state !== 'running');
  const epochsOf = ({ entry: { trial, folder }, state }: View): number => {
    if (state === 'done') return trial.config.train.epochs;
    if (state === 'queued') return 0;
    const last = readEvents(folder.events).findLast(({ event }) => event === 'epoch');
    return last?.event === 'epoch' ? last.epoch : 0;
  };
  return {
    event: 'jobs',
    trials: views.length,
    done: is('done'),
    running: is('running'),
    waiting: waiting.length,
    failed: is('failed') + views.filter(({ lost }) => lost).length,
    epochs: views.reduce((sum, view) => sum + epochsOf(view), 0),
    of: views.reduce((sum, { entry }) => sum + entry.trial.config.train.epochs, 0),
    reasons: [...new Set(waiting.flatMap(({ job }) => job?.reason ?? []))],
  };
}

const SHOWN = 15;

function jobEvent({ entry: { trial, folder }, state, job, lost }: View): JobEvent {
  const { row, seed } = trial;
  const message = state === 'failed' ? (folder.failure()?.message ?? null) : lost && job ? endOf(job) : null;
  const about = { job: job?.name ?? null, node: job?.node ?? null, log: job?.log ?? null };
  return { event: 'job', row, seed, state, message, ...about, folder: folder.path };
}

/** Trials that are not done and that nobody is going to do, with what their jobs printed last. */
export function failuresIn({ ledger, jobs }: Pick<BatchContext, 'ledger' | 'jobs'>): Failure[] {
  return ledger.entries.flatMap((entry): Failure[] => {
    const { state, job, lost } = viewOf(entry, ledger, jobs);
    if (state !== 'failed' && !lost) return [];
    const { row, seed } = entry.trial;
    const reason = state === 'failed' ? entry.folder.failure()?.message : job && endOf(job);
    const printed = job ? tail(job.log, SHOWN) : [];
    const log =
      job && printed.length > 0 ? [`${job.log} ends with`, ...printed.map((line) => `  ${line}`)] : [];
    return [{ row, seed, message: [reason ?? 'failed', ...log].join('\n') }];
  });
}
