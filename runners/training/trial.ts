// Trains and evaluates one trial, from wherever its folder says it is:
//
//   network -> programs -> weights (new, or of the last checkpoint)
//   each epoch: steps, scheme update, perhaps evaluation, checkpoint
//   at the end: evaluation, pictures, result
//
// What it does is appended to the folder's events; `observe` sees the same, plus progress inside an epoch.
import { join } from 'node:path';
import { messageOf, MtcpError } from '../../registry/errors.js';
import { writeResolved, type TrialSpec } from '../config/index.js';
import { EventLog, readEvents } from '../store/ledger/events.js';
import { RESOLVED } from '../store/resolved-file.js';
import { writeWhole } from '../support/files.js';
import { watchOutput } from '../support/output.js';
import type { TrialResult } from '../store/ledger/run-folder.js';
import { assess, rehearse } from './assess.js';
import { trainEpoch } from './epoch.js';
import { about, finish } from './finish.js';
import { isSettled } from '../model/selection.js';
import { thisMachine } from '../support/machine.js';
import { endsEarly, isRung } from './halving.js';
import { restore, save, trySave } from './save.js';
import { Interrupted } from './interrupted.js';
import { beginTogether, endTogether, openTogether } from './processes/lead.js';
import { ProcessLost } from '../support/team/errors.js';
import type { Team } from '../support/team/team.js';
import { closeTrial, openTrial, type Emit, type RunningTrial, type TrialContext } from './running-trial.js';

/**
 * @throws Interrupted if it was asked to stop; MtcpError `busy` if another process has taken the folder
 */
export async function runTrial(trial: TrialSpec, context: TrialContext): Promise<TrialResult> {
  const log = new EventLog(context.folder.events);
  const emit: Emit = (event) => {
    context.assertHeld?.();
    log.append(event);
    context.observe(event);
  };
  let running: RunningTrial | undefined;
  let team: Team | undefined;
  const unwatch = watchOutput(({ message }) => tryEmit(emit, `${message}; training goes on`));
  try {
    const { config, hash, row, seed } = trial;
    const { folder, data } = context;
    writeWhole(join(folder.path, RESOLVED), writeResolved(trial));
    const before = readEvents(folder.events);
    const { counts: images } = data;
    emit({ event: 'started', row, seed, hash, data: about(data), images, machine: thisMachine() });
    team = await openTogether(trial, context);
    running = await openTrial(trial, context, log, emit, team);
    restore(running, before);
    if (running.state.step === 0) await rehearse(running);
    await beginTogether(running);
    const isOver = ({ state }: RunningTrial) =>
      state.epoch === config.train.epochs || isSettled(config, state);
    while (!isOver(running) && !endsEarly(running)) {
      await trainEpoch(running);
      const { epoch } = running.state;
      if (epoch === config.train.epochs) break;
      const isDue = config.evaluate.every !== null && epoch % config.evaluate.every === 0;
      if (isDue || isRung(trial, epoch)) await assess(running);
      if (isSettled(config, running.state)) stopEarly(running);
      else if (epoch % config.train.checkpoint.every === 0) trySave(running);
    }
    const result = await finish(running);
    await endTogether(team).catch((error: unknown) => tryEmit(emit, `after the end: ${messageOf(error)}`));
    return result;
  } catch (error) {
    // Who lost the folder has no right to write into it.
    if (error instanceof Interrupted) await endTogether(team).catch(() => {});
    team?.abort(error);
    if (error instanceof Interrupted || MtcpError.is(error, 'busy')) throw error;
    // The trial can go on from its checkpoint as if it had been stopped.
    if (error instanceof ProcessLost) tryEmit(emit, error.message);
    else emit({ event: 'failed', message: messageOf(error) });
    throw error;
  } finally {
    unwatch();
    if (running) await closeTrial(running);
  }
}

/** The last weights are saved whenever that is: the trial ends with them. */
function stopEarly(running: RunningTrial): void {
  const { trial, state, emit } = running;
  save(running);
  emit({
    event: 'warning',
    message: `training ends after epoch ${state.epoch} of ${trial.config.train.epochs}: no better score since epoch ${state.best!.epoch} (evaluate.patience)`,
  });
}

/** Comes at any time: whether the folder is still this process's is for the next step to find out. */
function tryEmit(emit: Emit, message: string): void {
  try {
    emit({ event: 'warning', message });
  } catch (error) {
    if (!MtcpError.is(error)) throw error;
  }
}
