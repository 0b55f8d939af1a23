// The trials of an experiment with their jobs.
import type { Ledger } from '../store/ledger/ledger.js';
import { statusOf, type TrialStatus } from '../store/ledger/status.js';
import { endOf, isLost, type Jobs, type TrialJob } from './jobs.js';

export interface JobStatus extends TrialStatus {
  /** The last job that was submitted for it. */
  job: TrialJob | null;
  /** It is not done, and its job has ended. */
  lost: boolean;
}

export function jobStatusOf(ledger: Ledger, jobs: Jobs): JobStatus[] {
  return statusOf(ledger).map((status, i) => {
    const job = jobs.job(ledger.entries[i].trial) ?? null;
    return { ...status, job, lost: jobs.fault === undefined && isLost(status.state, job ?? undefined) };
  });
}

/** In a few words: why it failed, where it runs, what it waits for. */
export function noteOn({ state, failure, owner, job, lost }: JobStatus): string {
  if (failure !== null) return failure.split('\n')[0];
  if (lost && job) return endOf(job);
  if (!job || job.phase === 'ended' || state === 'done') return owner ?? '';
  if (job.phase === 'waiting') return `job ${job.name} waits${job.reason ? `: ${job.reason}` : ''}`;
  const left = job.left === null ? '' : `, ${job.left} left`;
  return `job ${job.name}${job.node === null ? '' : ` on ${job.node}`}${left}`;
}
