// A trial of an experiment with what became of it: what reports are made of.
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
