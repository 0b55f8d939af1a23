// The part of process 0 in a trial that several processes share. Without others, nothing here does anything.
import type { TaskScore } from '../../../registry/contracts/scheme.js';
import { MtcpError } from '../../../registry/errors.js';
import type { TrialSpec } from '../../config/index.js';
import type { Team } from '../../support/team/team.js';
import type { RunningTrial, TrialContext } from '../running-trial.js';
import { schemeState } from '../scheme-state.js';
import { arraysOf, digestOf, reportOf, type Order } from './orders.js';

const tell = (team: Team | undefined, order: Order): void => team?.tell(order);

/** Brings the processes of a trial together, if it has several, and has them open it. */
export async function openTogether(trial: TrialSpec, context: TrialContext): Promise<Team | undefined> {
  const { processes, counts, settings, folder } = context;
  if (!processes || processes.count === 1) return undefined;
  context.observe({ event: 'phase', what: `waiting for ${processes.count - 1} more processes` });
  const team = await processes.meet(folder);
  tell(team, { order: 'trial', trial, counts, settings });
  return team;
}

/**
 * Begins training: everybody has opened the trial, and gets weights and state of this process.
 * @throws MtcpError `engine` if processes have opened different things; what another process failed with
 */
export async function beginTogether(running: RunningTrial): Promise<void> {
  const { team, trial, context, step, loader, parts, means } = running;
  if (!team) return;
  const own = reportOf(trial, context.data.digest, loader.stepsPerEpoch, step);
  const reports = await team.gather(async () => own);
  for (const [index, report] of reports.entries()) {
    const different = Object.keys(own).find((what) => report[what] !== own[what]);
    if (different !== undefined)
      throw new MtcpError(
        'engine',
        `${team.nameOf(index)} cannot share this trial: its ${different} is ${report[different]}, and here it is ${own[different]}`,
        { hint: 'processes need the same mtcp, the same plugins and the same data' },
      );
  }
  const state = { ...running.state, scheme: schemeState(parts.criterion), losses: means.state() };
  tell(team, { order: 'begin', state });
  for (const numbers of arraysOf(step)) await team.tellNumbers(numbers);
  await requireAgreement(running);
  const names = Array.from({ length: team.of }, (_, index) => team.nameOf(index));
  running.emit({ event: 'shared', processes: names });
}

export const tellStep = ({ team, state }: RunningTrial): void =>
  tell(team, { order: 'step', step: state.step });

export const tellScores = ({ team }: RunningTrial, scores: Record<string, TaskScore>): void =>
  tell(team, { order: 'scores', scores });

/**
 * Compares the weights of all processes. Comes before every checkpoint.
 * @throws MtcpError `engine` if they differ: then nothing that comes out of training can be trusted
 */
export async function requireAgreement({ team, step, state }: RunningTrial): Promise<void> {
  if (!team) return;
  tell(team, { order: 'check' });
  const digests = await team.gather(async () => digestOf(step));
  const other = digests.findIndex((digest) => digest !== digests[0]);
  if (other > 0)
    throw new MtcpError(
      'engine',
      `the processes have different weights after step ${state.step}: ${team.nameOf(other)} is not where ${team.nameOf(0)} is`,
      {
        hint: 'a machine may compute wrongly; the same command goes on from the last checkpoint, on which all agreed',
      },
    );
}

/** The trial is over. */
export async function endTogether(team: Team | undefined): Promise<void> {
  if (!team) return;
  tell(team, { order: 'end' });
  await team.dismiss();
}
