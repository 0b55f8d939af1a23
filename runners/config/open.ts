// An experiment file as the rest of the runners want it: loaded, its components known, with the engine that was asked for.
import '../../modules/index.js';
import { MtcpError } from '../../registry/errors.js';
import { didYouMean } from '../../registry/support/near.js';
import { refuseExcess } from './limits.js';
import { loadExperiment, type Experiment, type LoadOptions } from './load.js';

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

const ENGINES = ['onnx', 'tensorflow', 'wasm', 'cpu'];
const PROVIDERS = ['cpu', 'cuda', 'webgpu'];
const ALL = `there are ${ENGINES.join(', ')}, and of onnx ${PROVIDERS.map((name) => `onnx:${name}`).join(', ')}`;

/** `onnx:cuda` as the value of the trial's `engine` section. */
function engineOverride(text: string): string {
  const [type, provider, ...rest] = text.split(':');
  const fault = (message: string, hint: string) =>
    new MtcpError('usage', message, { where: `argument "--engine ${text}"`, hint });
  if (PROVIDERS.includes(type) && type !== 'cpu')
    throw fault(`there is no engine "${type}"`, `did you mean "onnx:${type}"? ${ALL}`);
  if (!ENGINES.includes(type))
    throw fault(`there is no engine "${type}"`, `${didYouMean(type, ENGINES)}\n${ALL}`);
  if (provider === undefined) return `engine={ type: ${type} }`;
  if (type !== 'onnx' || rest.length > 0)
    throw fault('only onnx has providers', `onnx:${PROVIDERS.join(', onnx:')}`);
  if (!PROVIDERS.includes(provider))
    throw fault(`onnx has no provider "${provider}"`, didYouMean(provider, PROVIDERS));
  return `engine={ type: onnx, provider: ${provider} }`;
}
