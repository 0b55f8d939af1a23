// A trial of an experiment with its state and results: the input of all reports.
import type { TrialSpec } from '../config/index.js';
import type { TrialResult, TrialState } from '../store/ledger/run-folder.js';

/** What became of a trial. */
export interface RowResult {
  trial: TrialSpec;
  state: TrialState;
  folder: string;
  result?: TrialResult;
  /** What of its files cannot be read. */
  damaged?: readonly string[];
}
