// Moves earlier results of a trial out of the way, so that the trial starts again in an empty folder. Nothing is
// deleted.
import { changesBetween } from '../../modules/datasets/folders/contents.js';
import { MtcpError } from '../../registry/errors.js';
import type { LedgerTrial } from '../store/ledger/ledger.js';
import type { RunFolder, TrialState } from '../store/ledger/run-folder.js';
import type { RunEvent } from './run-options.js';

/**
 * Moves the folder of a trial away; a trial without results is left alone.
 * @throws MtcpError `busy` if another process works on the trial
 */
export function setAside(state: TrialState, folder: RunFolder, why: string): void {
  if (state === 'queued') return;
  if (state === 'running')
    throw new MtcpError('busy', 'another process works on this trial', {
      where: folder.path,
      hint: 'stop it first, or leave out --fresh',
    });
  folder.setAside(`${why}-${new Date().toISOString().replace(/[:.]/g, '')}`);
}

/** Sets aside a trial that was trained on other data than today's. */
export function setAsideIfDataChanged(
  state: TrialState,
  { folder, trial }: LedgerTrial,
  digest: string,
  observe: (event: RunEvent) => void,
): void {
  const old = folder.dataDigest();
  if (state === 'running' || old === undefined || old === digest) return;
  const aside = folder.setAside(`data-${old}`);
  const changes = changesBetween(old, digest) ?? 'which files differ is not known here any more';
  observe({
    event: 'warning',
    message: `${trial.row}, seed ${trial.seed}, was trained on other data and is trained again; what there was is kept as ${aside}. ${changes}`,
  });
}
