// Opens an experiment file for the other layers: loads it and its components, and applies the engine and the
// devices that were asked for.
import '../../modules/index.js';
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
  const experiment = loadExperiment(file, {
    ...options,
    overrides: [
      ...overrides,
      ...(engine === undefined ? [] : [engineOverride(engine)]),
      ...(devices === undefined ? [] : [`engine.devices=${devices}`]),
    ],
  });
  refuseExcess(experiment);
  return experiment;
}
