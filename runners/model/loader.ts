// Makes the loader of a trial's data.
import type { Task } from '../../registry/contracts/tasks.js';
import type { Scheme } from '../../registry/contracts/scheme.js';
import type { TrialSpec } from '../config/index.js';
import { workersOf, type RunSettings } from '../config/run-settings.js';
import { createLoader, type Loader } from '../data/loader.js';
import { judgedSplit } from './selection.js';

/** @param scheme if it looks at scores, they must not be those that are reported */
export function loaderOf(
  { config, seed }: TrialSpec,
  { tasks, scheme, settings }: { tasks: readonly Task[]; scheme?: Scheme; settings?: RunSettings },
): Loader {
  return createLoader({
    dataset: config.data,
    transform: config.augment,
    tasks,
    batch: config.train.batch,
    seed,
    heldOut: judgedSplit(config, scheme) === 'held-out' ? config.evaluate.selection.share : 0,
    workers: workersOf(config, settings),
    cacheBytes: config.train.cache * 2 ** 20,
  });
}
