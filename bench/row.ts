// A row of an experiment for both sides of a benchmark: mtcp builds it from the file, PyTorch from the resolved
// sections.
import { join } from 'node:path';
import { openExperiment } from '../runners/config/open.js';
import type { TrialSpec } from '../runners/config/index.js';
import { assembled, tasksOf } from '../runners/model/assemble.js';
import type { StepParts } from './network-subject.js';

export interface RowChoice {
  /** File in experiments/. */
  experiment: string;
  profile: string;
  row: string;
  overrides: readonly string[];
}

const FOLDER = join(import.meta.dirname, '../../experiments');

function trialOf({ experiment, profile, row, overrides }: RowChoice): TrialSpec {
  const { trials } = openExperiment(join(FOLDER, experiment), {
    profile,
    rows: [row],
    overrides: ['weights.backbone=null', ...overrides],
  });
  // A row that the overrides change is named by what they change.
  return trials.find((trial) => trial.row === row || trial.row.startsWith(`${row}, `))!;
}

/** What a training step of the row is made from. */
export function rowParts(choice: RowChoice): StepParts {
  const trial = trialOf(choice);
  return { ...assembled(trial), clip: trial.config.train.clip };
}

/**
 * Sizes of a `system_step`.
 * @param system the peer's name of it
 */
export function rowSizes(system: string, choice: RowChoice): Record<string, unknown> {
  const trial = trialOf(choice);
  const { model, tasks, scheme, optimizer, train, augment } = trial.config;
  const [height, width] = augment.size as [number, number];
  return {
    system,
    row: choice,
    trial: { model, tasks, scheme, optimizer, train },
    tasks: tasksOf(trial).map(({ name, kind, channels }) => ({ name, kind, channels })),
    batch: train.batch,
    height,
    width,
  };
}
