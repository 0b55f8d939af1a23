// The configuration and the weights in the folder of a finished or unfinished trial.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { MtcpError } from '../../../registry/errors.js';
import { didYouMean } from '../../../registry/support/near.js';
import type { TrialSpec } from '../../config/index.js';
import { openExperiment } from '../../config/open.js';
import { RunFolder } from '../ledger/run-folder.js';
import { readResolved, RESOLVED } from '../resolved-file.js';

/** @throws MtcpError `usage` if the folder is not a trial's, `config` if its configuration was changed since */
export function trialIn(folder: string): TrialSpec {
  if (readResolved(folder) === undefined)
    throw new MtcpError('usage', `${folder} is not the folder of a trial`, {
      hint: 'give a folder below runs/, such as runs/table3/mt-cp-s0-1a2b3c4d; mtcp status --json lists them',
    });
  return openExperiment(join(folder, RESOLVED)).trials[0];
}

/**
 * The folder of the weights that the trial's reported numbers belong to: the best ones if it selects by that and
 * kept them, the newest checkpoint otherwise.
 * @param wanted name of a checkpoint instead
 * @throws MtcpError `usage` if there is none, `io` if the result that tells which one is damaged
 */
export function weightsIn(folder: string, wanted?: string): string {
  const parent = join(folder, 'checkpoints');
  const names = existsSync(parent)
    ? readdirSync(parent).filter((name) => existsSync(join(parent, name, 'weights.safetensors')))
    : [];
  if (names.length === 0)
    throw new MtcpError('usage', `${folder} has no checkpoint`, {
      hint: 'the trial has not come that far, or train.checkpoint.keep is none',
    });
  if (wanted !== undefined && !names.includes(wanted))
    throw new MtcpError('usage', `there is no checkpoint "${wanted}"`, {
      where: `argument "--checkpoint ${wanted}"`,
      hint: didYouMean(wanted, names),
    });
  const newest =
    names
      .filter((name) => /^step-\d+$/.test(name))
      .sort()
      .at(-1) ?? names[0];
  if (wanted !== undefined) return join(parent, wanted);
  const rule = new RunFolder(folder).wholeResult()?.selected.rule;
  return join(parent, rule === 'best' && names.includes('best') ? 'best' : newest);
}
