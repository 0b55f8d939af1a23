// Follows the jobs of an experiment until none is left. What a trial has done is read from its folder; the batch
// system is only asked what has become of the jobs.
import { setTimeout as sleep } from 'node:timers/promises';
import { readEvents } from '../store/ledger/events.js';
import type { LedgerTrial, Ledger } from '../store/ledger/ledger.js';
import type { TrialState } from '../store/ledger/run-folder.js';
import type { Failure } from '../training/work.js';
import { endOf, isLost, type Jobs, type TrialJob } from './jobs.js';
import { tail } from './submission.js';
import type { BatchContext, JobEvent } from './batch-context.js';

/** Milliseconds between two queries, at least and at most, and as a multiple of the duration of a query. */
const POLL = 2000;
const RAREST = 30_000;
const RARER = 20;
/** Queries without an active job after which no job is expected any more: a new job may not be known yet. */
const GRACE = 3;

/**
 * Watches the trials of an experiment until no job is left.
 * @returns false if it was asked to stop before that
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
    // If the system did not answer, the time was spent in a timeout and says nothing about its load.
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
  /** Its job ended before it was done. */
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

/** Failed trials, and trials whose job ended before they were done, with the last output of their jobs. */
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
