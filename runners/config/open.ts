// An experiment file as the rest of the runners want it: loaded, its components known, its data where --data says.
import { resolve } from 'node:path';
import '../../modules/index.js';
import { catalog } from '../../registry/catalog.js';
import { MtcpError } from '../../registry/errors.js';
import { didYouMean } from '../../registry/near.js';
import type { PropertySchema } from '../../registry/options.js';
import {
  loadExperiment,
  profilesOf,
  withSources,
  type Experiment,
  type LoadOptions,
  type TrialSpec,
} from './index.js';

export interface OpenOptions extends LoadOptions {
  /** Where the data set lies: the value of the first path option that it reads. */
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
  if (data !== undefined) for (const trial of trials) pointToData(trial, data, file, options);
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

/**
 * `--data` is the path that the data set reads first; where data lie is not part of a trial's identity. A data set that
 * makes its images itself reads none, and never writes into a folder that was given as data.
 */
function pointToData({ config }: TrialSpec, path: string, file: string, options: LoadOptions): void {
  const option = readPath(config.data.type);
  if (option !== undefined) {
    config.data[option] = resolve(path);
    return;
  }
  const profiles = readingProfiles(file, options);
  throw new MtcpError('usage', `data set "${config.data.type}" reads no folder: it makes its own images`, {
    where: `argument "--data ${path}"`,
    hint:
      profiles.length > 0
        ? `to train on this folder: ${profiles.map(({ name, type }) => `--profile ${name} (${type})`).join(' or ')}`
        : 'to train on this folder, give the file a data set that reads one, such as data={ type: nyud-v2, root: DIR }',
  });
}

/** Option of a data set that names what it reads. */
function readPath(type: string): string | undefined {
  const { properties } = catalog.get('dataset', type).options;
  return Object.entries(properties).find(([, schema]) => isReadPath(schema))?.[0];
}

const isReadPath = ({ format, written, anyOf }: PropertySchema): boolean =>
  (format === 'path' && written !== true) || (anyOf ?? []).some(isReadPath);

/** Profiles under which all rows read data from a folder, and the data set that does. */
function readingProfiles(file: string, options: LoadOptions): { name: string; type: string }[] {
  return profilesOf(file, { ...options, profile: undefined }).flatMap((name) => {
    if (name === null) return [];
    const { trials } = loadExperiment(file, { ...options, profile: name });
    const reads = trials.every(({ config }) => readPath(config.data.type) !== undefined);
    return reads ? [{ name, type: trials[0].config.data.type }] : [];
  });
}
