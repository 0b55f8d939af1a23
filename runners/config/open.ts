// Opens an experiment file for the other layers: loads it and its components, and applies the engine that was asked
// for.
import '../../modules/index.js';
import { refuseExcess } from './limits.js';
import { loadExperiment } from './load.js';
import type { Experiment, LoadOptions } from './experiment.js';
import { engineOverride } from './engine-flag.js';

export interface OpenOptions extends LoadOptions {
  /** What computes, instead of the file's choice: `onnx`, `onnx:PROVIDER`, `tensorflow`, `wasm` or `cpu`. */
  engine?: string;
}

/** Loads an experiment with all components known and `engine` as the last change. */
export function openExperiment(
  file: string,
  { engine, overrides = [], ...options }: OpenOptions = {},
): Experiment {
  const experiment = loadExperiment(file, {
    ...options,
    overrides: [...overrides, ...(engine === undefined ? [] : [engineOverride(engine)])],
  });
  refuseExcess(experiment);
  return experiment;
}
