// What submitting and watching jobs have in common: the experiment with its ledger and launcher, and the events that
// tell what becomes of the jobs.
import type { Slot } from '../../registry/container.js';
import type { BatchLauncher } from '../../registry/contracts/launching.js';
import type { Experiment } from '../config/index.js';
import type { Ledger } from '../store/ledger/ledger.js';
import type { TrialState } from '../store/ledger/run-folder.js';
import type { Jobs } from './jobs.js';

export type JobEvent =
  | {
      event: 'submitted';
      system: string;
      job: string;
      tasks: number;
      trials: number;
      /** The script that was submitted. */
      script: string;
    }
  /** Sent when one of the numbers changes. */
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
  /** The state of a trial. */
  | {
      event: 'job';
      row: string;
      seed: number;
      state: TrialState;
      job: string | null;
      node: string | null;
      /** Why it is not done, if no process and no job will train it. */
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
