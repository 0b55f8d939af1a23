// Finds the one trial that a command works on: that of a row and, if it has several seeds, of the first seed.
import { MtcpError } from '../../registry/errors.js';
import type { TrialSpec } from '../config/index.js';
import { openExperiment } from '../config/open.js';
import { choiceOf, parseDevices, parseThreads, type EngineOptions, type ExperimentOptions } from './flags.js';

/** @throws MtcpError `usage` if the options leave several rows */
export function oneTrial(
  file: string,
  overrides: string[],
  { engine, threads, devices, ...options }: ExperimentOptions & EngineOptions,
): TrialSpec {
  const { trials } = openExperiment(file, {
    ...choiceOf(options, overrides),
    engine,
    threads: parseThreads(threads),
    devices: parseDevices(devices),
  });
  const rows = [...new Set(trials.map(({ row }) => row))];
  if (rows.length > 1)
    throw new MtcpError('usage', `${file} has ${rows.length} rows, and this command takes one`, {
      hint: `choose with --row: ${rows.map((row) => `"${row}"`).join(', ')}`,
    });
  return trials[0];
}
