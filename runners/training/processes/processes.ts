// Where the other processes of a trial come from, when several share its steps.
import type { RunFolder } from '../../store/ledger/run-folder.js';
import type { Team } from '../../support/team/team.js';

export interface Processes {
  /** How many share a trial, this one included. */
  readonly count: number;
  /** Whether new ones come for the next trial if one is lost. */
  readonly areRenewed: boolean;
  /**
   * Brings them together, for one trial.
   * @throws MtcpError `engine` if they cannot be started or do not come
   */
  meet(folder: RunFolder): Promise<Team>;
}
