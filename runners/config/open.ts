// Opens an experiment file for the other layers: loads it and its components, and applies the engine and the
// devices that were asked for.
import '../../modules/index.js';
import { MtcpError } from '../../registry/errors.js';
import { refuseExcess } from './limits.js';
import { loadExperiment } from './load.js';
import type { Experiment, LoadOptions } from './experiment.js';
import { engineOverride } from './engine-flag.js';

export interface OpenOptions extends LoadOptions {
  /** What computes, instead of the file's choice: `onnx`, `onnx:PROVIDER`, `tensorflow`, `wasm` or `cpu`. */
  engine?: string;
  /** Devices of the engine `xla`, instead of the file's number; not part of a trial's identity. */
  devices?: number | 'all';
}

/** Loads an experiment with all components known, and `engine` and `devices` as the last changes. */
export function openExperiment(
  file: string,
  { engine, devices, overrides = [], ...options }: OpenOptions = {},
): Experiment {
  const load = (own: readonly string[]) =>
    loadExperiment(file, { ...options, overrides: [...overrides, ...own] });
  const chosen = engine === undefined ? [] : [engineOverride(engine)];
  let experiment = load(chosen);
  if (devices !== undefined) {
    requireDevices(experiment, devices);
    experiment = load([...chosen, `engine.devices=${devices}`]);
  }
  refuseExcess(experiment);
  return experiment;
}

/** @throws MtcpError `usage` if a trial's engine has no choice of devices */
function requireDevices({ trials }: Experiment, devices: number | 'all'): void {
  const other = trials.find(({ config }) => config.engine.type !== 'xla');
  if (!other) return;
  throw new MtcpError(
    'usage',
    `the engine "${other.config.engine.type}" of row "${other.row}" works on one device`,
    {
      where: `argument "--devices ${devices}"`,
      hint: `only xla divides a batch among several: --engine xla --devices ${devices}`,
    },
  );
}
