// Trials that a run was to do and that are not done when it is over, though nothing interrupted it. No one else has told
// of them: another process failed at them, or its process died, or nobody took them. They make the run fail.
import type { TrialRef } from '../store/ledger/ledger.js';
import type { Ledger, LedgerTrial } from '../store/ledger/ledger.js';
import type { Failure } from '../training/work.js';

/** @param told failures that are known already: their trials are not told again */
export function leftOver<T extends TrialRef>(
  wanted: readonly LedgerTrial<T>[],
  ledger: Pick<Ledger<T>, 'state'>,
  told: readonly Failure[],
): Failure[] {
  return wanted.flatMap((entry) => {
    const { row, seed } = entry.trial;
    const why = reasonOf(entry, ledger.state(entry));
    const known = told.some((failure) => failure.row === row && failure.seed === seed);
    return why === undefined || known ? [] : [{ row, seed, message: why }];
  });
}

function reasonOf({ folder }: LedgerTrial<TrialRef>, state: string): string | undefined {
  switch (state) {
    case 'failed':
    case 'stale':
      return `another process tried it: ${folder.failure()?.message ?? 'a process died over it'}`;
    case 'interrupted':
      return 'another process stopped at it after a checkpoint; the same command goes on from there';
    case 'queued':
      return 'nobody trained it; the same command tries it again';
    default:
      return undefined;
  }
}
