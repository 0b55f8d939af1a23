// Schemes that compare gradients of tasks need weights that tasks share, which only the recorded backward passes show: a
// frozen backbone, or an encoder for each task, leaves none. Found here before anything is trained.
import { Faults, throwAll, type Experiment, type TrialSpec } from '../config/index.js';
import { MtcpError } from '../../registry/errors.js';
import { assembled } from '../model/assemble.js';
import { inspect } from '../training/inspect.js';

/** All faults of the trials, whose networks are known to be good. Networks that share alike are recorded once. */
export async function gradientFaults(
  { provenance }: Pick<Experiment, 'provenance'>,
  trials: readonly TrialSpec[],
): Promise<MtcpError[]> {
  const known = new Map<string, MtcpError | undefined>();
  const faults = new Faults({ byArgument: false });
  const comparing = trials.filter((trial) => sharedBy(trial) !== undefined);
  for (const trial of comparing) {
    const { model, tasks, train } = trial.config;
    const key = JSON.stringify([sharedBy(trial), model, tasks, train.freeze, train.lora]);
    if (!known.has(key)) known.set(key, await faultOf(trial));
    const fault = known.get(key);
    if (!fault) continue;
    const { message, hint } = fault;
    faults.reportIn({ row: trial.row, profile: null })({
      mark: provenance(trial).blame(['scheme']),
      message,
      hint,
    });
  }
  return faults.errors(
    trials.map(({ row }) => ({ row, profile: null })),
    [],
  );
}

/** @throws MtcpError, or MtcpErrors with all of them */
export async function checkGradients(
  experiment: Pick<Experiment, 'provenance'>,
  trials: readonly TrialSpec[],
): Promise<void> {
  throwAll(await gradientFaults(experiment, trials));
}

/** What its scheme compares gradients of; undefined if it compares none. */
const sharedBy = (trial: TrialSpec): string | undefined =>
  assembled(trial).criterion.scheme.needs?.gradients?.shared;

async function faultOf(trial: TrialSpec): Promise<MtcpError | undefined> {
  try {
    await inspect(trial);
    return undefined;
  } catch (error) {
    if (!MtcpError.is(error, 'component')) throw error;
    return error;
  }
}
