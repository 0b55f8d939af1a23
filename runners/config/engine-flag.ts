// --engine: an engine, with a provider of onnxruntime or a plugin of XLA after a colon.
import { MtcpError } from '../../registry/errors.js';
import { didYouMean } from '../../registry/support/near.js';

const ENGINES = ['onnx', 'xla', 'tensorflow', 'wasm', 'cpu'];
const PROVIDERS = ['cpu', 'cuda', 'webgpu'];
/** Variants of the XLA plugin; anything with a slash is the path of one. */
const PLUGINS = ['cuda13', 'cuda12', 'rocm', 'tpu', 'cpu'];
/** Everything that --engine takes, without paths of plugins. */
export const ENGINE_NAMES: readonly string[] = [
  ...ENGINES,
  ...PROVIDERS.map((name) => `onnx:${name}`),
  ...PLUGINS.map((name) => `xla:${name}`),
];
const ALL = `there are ${ENGINES.join(', ')}, of onnx ${PROVIDERS.map((name) => `onnx:${name}`).join(', ')}, and of xla ${PLUGINS.map((name) => `xla:${name}`).join(', ')}`;

/** `onnx:cuda` or `xla:cuda13` as the value of the trial's `engine` section. */
export function engineOverride(text: string): string {
  const colon = text.indexOf(':');
  const [type, variant] = colon < 0 ? [text] : [text.slice(0, colon), text.slice(colon + 1)];
  const fault = (message: string, hint: string) =>
    new MtcpError('usage', message, { where: `argument "--engine ${text}"`, hint });
  if (!ENGINES.includes(type)) throw fault(`there is no engine "${type}"`, nearestEngine(type));
  if (variant === undefined) return `engine={ type: ${type} }`;
  if (type === 'xla') {
    if (!PLUGINS.includes(variant) && !variant.includes('/'))
      throw fault(
        `there is no XLA plugin "${variant}"`,
        `${didYouMean(variant, PLUGINS)}; the path of a plugin has a slash`,
      );
    return `engine={ type: xla, plugin: ${JSON.stringify(variant)} }`;
  }
  if (type !== 'onnx') throw fault('only onnx and xla have variants', `onnx:${PROVIDERS.join(', onnx:')}`);
  if (!PROVIDERS.includes(variant))
    throw fault(`onnx has no provider "${variant}"`, didYouMean(variant, PROVIDERS));
  return `engine={ type: onnx, provider: ${variant} }`;
}

/** What was most likely meant: a provider or a plugin that was named alone is one of an engine. */
function nearestEngine(name: string): string {
  const whole = [
    ...PROVIDERS.filter((provider) => provider === name).map((provider) => `onnx:${provider}`),
    ...PLUGINS.filter((plugin) => plugin.replace(/\d+$/, '') === name).map((plugin) => `xla:${plugin}`),
  ];
  const meant = whole.length > 0 ? `did you mean ${whole.join(' or ')}?` : didYouMean(name, ENGINES);
  return `${meant}\n${ALL}`;
}
