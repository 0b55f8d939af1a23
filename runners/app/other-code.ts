// Trials that are to be trained although a folder beside theirs has a result of the same row, seed and configuration:
// the code of their components has changed since, or a row that they depend on. Whoever sees "queued" where there was a
// number asks why.
import { basename, dirname } from 'node:path';
import { MtcpError } from '../../registry/errors.js';
import type { TrialSpec } from '../config/index.js';
import { trialFolders } from '../store/ledger/folders.js';
import { RunFolder } from '../store/ledger/run-folder.js';
import { trialIn } from '../store/weights/trial-folder.js';

/** Of the folder of a trial: what another hash does not change. */
const stem = (folder: string): string => basename(folder).replace(/-[0-9a-f]{8}$/, '');

/** The folder of such a result; undefined if there is none. */
function otherResultOf(runs: string, trial: TrialSpec): string | undefined {
  const own = new RunFolder(runs, trial);
  if (own.state() !== 'queued') return undefined;
  return trialFolders(dirname(own.path)).find(
    (folder) =>
      folder !== own.path &&
      stem(folder) === stem(own.path) &&
      new RunFolder(folder).state() === 'done' &&
      isConfiguredAs(folder, trial),
  );
}

/** Whether today's code makes the same trial of what the folder was trained with. */
function isConfiguredAs(folder: string, { hash }: TrialSpec): boolean {
  try {
    return trialIn(folder).hash === hash;
  } catch (error) {
    // An option of then that is none any more.
    if (MtcpError.is(error)) return false;
    throw error;
  }
}

/** For people; undefined if there are no such trials. */
export function otherCodeNote(runs: string, trials: readonly TrialSpec[]): string | undefined {
  const found = trials.flatMap((trial) => otherResultOf(runs, trial) ?? []);
  if (found.length === 0) return undefined;
  const one = found.length === 1;
  const which = one ? found[0] : `${found[0]} and ${found.length - 1} more`;
  return [
    one ? 'one queued trial was trained before' : `${found.length} queued trials were trained before`,
    `with the same configuration and other code of components: ${which}.`,
    `The results stay there; mtcp run trains ${one ? 'it' : 'them'} again with the code of today`,
  ].join(' ');
}
