// What a run can be asked for, what it tells while it works, and what it returns.
import type { TrackerMessage } from '../../registry/contracts/tracking.js';
import type { DataEvent } from '../training/data-sources.js';
import type { Fitted } from '../config/index.js';
import type { OpenOptions } from '../config/open.js';
import type { Jobs } from '../launching/jobs.js';
import type { JobEvent } from '../launching/batch-context.js';
import type { LedgerOptions } from '../store/ledger/ledger.js';
import type { TrialState } from '../store/ledger/run-folder.js';
import type { Report } from '../reporting/report.js';
import type { WorkEvent, Worked } from '../training/work.js';
import type { Timings } from './timings.js';

export interface RunOptions extends OpenOptions {
  /** Folder of all runs. */
  runs: string;
  /** Only trials in one of these states; by default every trial that is not done. */
  only?: readonly TrialState[];
  /** Start every trial from the beginning; earlier results are set aside. */
  fresh?: boolean;
  /** Trials that run at once, each in a process of its own, with the machine's threads shared out. */
  jobs?: number | 'auto';
  /** Processes that share each trial, with the threads shared out; by default what the launcher says. */
  processes?: number;
  /** Where trials are trained, such as `slurm`, instead of where the file and the site file say. */
  launcher?: string;
  /** With a batch system: return as soon as the jobs are submitted. */
  detach?: boolean;
  /** What was typed, for the records of jobs. */
  command?: string;
  /** Also write the report as a page, report.html. */
  page?: boolean;
  /** How processes agree on who owns a trial; see ledger/lease.ts. */
  ledger?: Omit<LedgerOptions, 'only'>;
  observe?(event: RunEvent): void;
  stopRequested?(): boolean;
}

export type RunEvent =
  | {
      event: 'experiment';
      name: string;
      title: string;
      profile: string | null;
      /** `task.metric` of the metrics that tables show. */
      primary: string[];
      trials: { row: string; seed: number; state: TrialState }[];
    }
  | DataEvent
  | WorkEvent
  | JobEvent
  /** Which rows an override changed that applies only where it fits. */
  | ({ event: 'fitted' } & Fitted)
  /** About the experiment file or the report: a trial's own warnings say which trial. */
  | { event: 'warning'; message: string }
  /** A tracker has something to say; see registry/contracts/tracking.ts. */
  | ({ event: 'tracking' } & TrackerMessage);

export interface RunOutcome extends Worked {
  report: Report;
  /** Parts of the report that could not be made; warnings say why. */
  missing: string[];
  /** Folder of the experiment's runs and report. */
  folder: string;
  /** Trials that other processes work on. */
  elsewhere: { row: string; seed: number }[];
  /** Whether jobs of a batch system go on with the rest. */
  detached: boolean;
  /** Where the seconds went; trials in jobs of a batch system are not part of it. */
  timings: Timings;
}

/** Owners of locks may be jobs, wherever this runs. */
export const ledgerOptions = ({ ledger, only }: RunOptions, jobs: Jobs): LedgerOptions => ({
  ...ledger,
  probes: [...(ledger?.probes ?? []), ...jobs.probes],
  only,
});
