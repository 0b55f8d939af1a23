// An experiment file as the rest of the runners want it: loaded, its components known, its data where --data says.
import { resolve } from 'node:path';
import '../modules/index.js';
import { catalog } from '../registry/catalog.js';
import type { MetricInfo } from '../registry/contracts/learning.js';
import { MtcpError } from '../registry/errors.js';
import type { PropertySchema } from '../registry/options.js';
import { loadExperiment, type Experiment, type LoadOptions, type Trial } from './config/index.js';
import { partsOf, primaryOf } from './training/parts.js';

export interface OpenOptions extends LoadOptions {
  /** Where the data set lies: the value of its first path option. */
  data?: string;
}

/** Loads an experiment with `data` filled in. */
export function openExperiment(file: string, { data, ...options }: OpenOptions = {}): Experiment {
  const experiment = loadExperiment(file, options);
  if (data !== undefined) for (const trial of experiment.trials) pointToData(trial, data);
  return experiment;
}

/** `--data` is whatever path the data set asks for first; where data lie is not part of a trial's identity. */
function pointToData({ config }: Trial, path: string): void {
  const { properties } = catalog.get('dataset', config.data.type).options;
  const option = Object.entries(properties).find(([, schema]) => isPath(schema))?.[0];
  if (!option)
    throw new MtcpError('usage', `data set "${config.data.type}" has no path to set`, {
      where: `argument "--data ${path}"`,
    });
  config.data[option] = resolve(path);
}

const isPath = ({ format, anyOf }: PropertySchema): boolean =>
  format === 'path' || (anyOf ?? []).some(isPath);

/** `task` -> its primary metric, over all trials. */
export function primaryMetrics(trials: readonly Trial[]): Map<string, MetricInfo> {
  const metrics = new Map<string, MetricInfo>();
  for (const trial of trials)
    for (const [task, metric] of Object.entries(partsOf(trial).metrics)) metrics.set(task, primaryOf(metric));
  return metrics;
}
