// An experiment file as the rest of the runners want it: loaded, its components known, its data where --data says.
import { resolve } from 'node:path';
import '../../modules/index.js';
import { catalog } from '../../registry/catalog.js';
import { MtcpError } from '../../registry/errors.js';
import { didYouMean } from '../../registry/near.js';
import type { PropertySchema } from '../../registry/options.js';
import { loadExperiment, withSources, type Experiment, type LoadOptions, type TrialSpec } from './index.js';

export interface OpenOptions extends LoadOptions {
  /** Where the data set lies: the value of its first path option. */
  data?: string;
  /** What computes, instead of the file's choice: `onnx`, `onnx:PROVIDER`, `tensorflow`, `wasm` or `cpu`. */
  engine?: string;
  /** Threads of the engine; no part of a trial's identity. */
  threads?: number;
}

/** Loads an experiment with `data`, `engine` and `threads` filled in. */
export function openExperiment(
  file: string,
  { data, engine, threads, ...options }: OpenOptions = {},
): Experiment {
  const overrides = [...(options.overrides ?? []), ...(engine === undefined ? [] : [engineOverride(engine)])];
  const experiment = loadExperiment(file, { ...options, overrides });
  const trials = withSources(experiment.trials);
  if (threads !== undefined) for (const trial of trials) setThreads(trial, threads);
  if (data !== undefined) for (const trial of trials) pointToData(trial, data);
  return experiment;
}

const ENGINES = ['onnx', 'tensorflow', 'wasm', 'cpu'];
const PROVIDERS = ['cpu', 'cuda', 'webgpu'];

/** `onnx:cuda` as the value of the trial's `engine` section. */
function engineOverride(text: string): string {
  const [type, provider, ...rest] = text.split(':');
  const fault = (message: string, hint: string) =>
    new MtcpError('usage', message, { where: `argument "--engine ${text}"`, hint });
  if (!ENGINES.includes(type)) throw fault(`there is no engine "${type}"`, didYouMean(type, ENGINES));
  if (provider === undefined) return `engine={ type: ${type} }`;
  if (type !== 'onnx' || rest.length > 0)
    throw fault('only onnx has providers', `onnx:${PROVIDERS.join(', onnx:')}`);
  if (!PROVIDERS.includes(provider))
    throw fault(`onnx has no provider "${provider}"`, didYouMean(provider, PROVIDERS));
  return `engine={ type: onnx, provider: ${provider} }`;
}

function setThreads({ config }: TrialSpec, threads: number): void {
  if (!('threads' in config.engine))
    throw new MtcpError('usage', `the engine "${config.engine.type}" has one thread`, {
      where: `argument "--threads ${threads}"`,
    });
  config.engine.threads = threads;
}

/** `--data` is whatever path the data set asks for first; where data lie is not part of a trial's identity. */
function pointToData({ config }: TrialSpec, path: string): void {
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
