// Options that schedules share, and what they mean: how far a run is, and the rise at its beginning.
import type { OptionsSchema, Progress } from '../../../registry/index.js';

export const warmupOption = {
  warmup: {
    type: 'integer',
    minimum: 0,
    default: 0,
    description: 'Steps over which the rate first rises linearly from 0.',
  },
} as const satisfies OptionsSchema['properties'];

/** @param standard when the rate changes if the file does not say it */
export const perOption = <const P extends 'epoch' | 'iteration'>(standard: P) =>
  ({
    per: {
      enum: ['epoch', 'iteration'],
      default: standard,
      description: 'Change the rate after each epoch or after each step.',
    },
  }) as const satisfies OptionsSchema['properties'];

/** The share of the run that is over, from 0 to below 1. */
export const shareDone = (
  { epoch, epochs, step, stepsPerEpoch }: Progress,
  per: 'epoch' | 'iteration',
): number => (per === 'epoch' ? epoch / epochs : step / (epochs * stepsPerEpoch));

/** The factor of the warm-up: 1 once `warmup` steps are over. */
export const warmedUp = ({ step }: Progress, warmup: number): number =>
  Math.min(1, (step + 1) / (warmup + 1));
