// Makes the loader of a trial's data.
import type { Task } from '../../registry/contracts/tasks.js';
import type { Scheme } from '../../registry/contracts/scheme.js';
import type { TrialSpec } from '../config/index.js';
import { workersOf, type RunSettings } from '../config/run-settings.js';
import { createLoader, type Loader } from '../data/loader.js';
import { judgedSplit } from './selection.js';

export interface LoaderOptions {
  tasks: readonly Task[];
  scheme?: Scheme;
  settings?: RunSettings;
  /** This process among those that share each step, in turn a micro-batch each; by default it makes whole batches. */
  share?: { index: number; of: number };
}

/** @param scheme if it looks at scores, they must not be those that are reported */
export function loaderOf(
  { config, seed }: TrialSpec,
  { tasks, scheme, settings, share }: LoaderOptions,
): Loader {
  const { batch, accumulate } = config.train;
  return createLoader({
    dataset: config.data,
    transform: config.augment,
    tasks,
    batch,
    ...(share && { isOwn: (place) => Math.floor((place * accumulate) / batch) % share.of === share.index }),
    seed,
    heldOut: judgedSplit(config, scheme) === 'held-out' ? config.evaluate.selection.share : 0,
    workers: workersOf(config, settings),
    cacheBytes: config.train.cache * 2 ** 20,
  });
}
