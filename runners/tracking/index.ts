// Chooses the trackers of an experiment's runs: that of the `tracking` section, and MLflow if the environment names a
// server (MLFLOW_TRACKING_URI). `tracking: null` means none.
import { resolve } from 'node:path';
import './files/tensorboard.js';
import './files/wandb.js';
import './mlflow/tracker.js';
import { createTrialContainer, type Slot } from '../../registry/container.js';
import type { Tracker, TrackerMessage, RunTracker } from '../../registry/contracts/tracking.js';
import { MtcpError } from '../../registry/errors.js';
import type { Experiment } from '../config/index.js';

type Env = Readonly<Record<string, string | undefined>>;

/** @throws MtcpError `config` at the option that cannot work */
export function trackerOf(
  { tracking }: Pick<Experiment, 'tracking'>,
  env: Env = process.env,
): Tracker | undefined {
  const slot: Slot | null = tracking ? tracking.slot : env.MLFLOW_TRACKING_URI ? { type: 'mlflow' } : null;
  if (!slot) return undefined;
  try {
    return createTrialContainer([]).create('tracker', slot);
  } catch (error) {
    const option = MtcpError.is(error) ? /^tracking\.(\w+)$/.exec(error.where ?? '')?.[1] : undefined;
    if (!MtcpError.is(error) || option === undefined || !tracking) throw error;
    throw new MtcpError('config', error.message, { where: tracking.locate(option), hint: error.hint });
  }
}

const NOBODY: RunTracker = { trial: () => {}, end: () => Promise.resolve() };

/** MLflow beside another tracker that the file names. */
function besides({ tracking }: Pick<Experiment, 'tracking'>, env: Env = process.env): Tracker[] {
  if (!tracking?.slot || tracking.slot.type === 'mlflow' || !env.MLFLOW_TRACKING_URI) return [];
  return [createTrialContainer([]).create('tracker', { type: 'mlflow' })];
}

/** Starts to follow an invocation of an experiment; without a tracker nothing happens. */
export function track(
  experiment: Experiment,
  runs: string,
  report: (message: TrackerMessage) => void,
): RunTracker {
  const { name, title, description, file, profile } = experiment;
  const tracker = trackerOf(experiment);
  if (!tracker) return NOBODY;
  const folder = resolve(runs, name);
  const run = {
    experiment: name,
    title,
    description,
    file,
    profile,
    runs: resolve(runs),
    folder,
    report,
  };
  const followed = [tracker, ...besides(experiment)].map((each) => each.follow(run));
  return {
    trial: (path, elsewhere) => followed.forEach((each) => each.trial(path, elsewhere)),
    end: async (outcome, leave) => {
      await Promise.all(followed.map((each) => each.end(outcome, leave)));
    },
  };
}
