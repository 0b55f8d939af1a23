// mtcp forward: the network of a trial in evaluation mode on tensors from a file, and any feature inside it.
import type { NamedTensorMap, Tensor, Tensor4D } from '../../../registry/tf.js';
import { ParameterTable, Pass } from '../../../modules/nn/scope.js';
import { createTrialContainer } from '../../../registry/container.js';
import { MtcpError } from '../../../registry/errors.js';
import { didYouMean } from '../../../registry/support/near.js';
import type { TrialSpec } from '../../config/index.js';
import { hostTensor, type Tracer } from '../../engine/engine.js';
import { createEngine, onOneDevice } from '../../engine/index.js';
import type { HostTensor } from '../../engine/ort/session.js';
import { record } from '../../engine/recording.js';
import type { Network } from '../../model/network.js';
import { assembled } from '../../model/assemble.js';
import { threadsOf } from '../../config/index.js';
import { Arena } from '../../training/step/arena.js';
import { Layout } from '../../training/step/layout.js';
import { Weights } from '../../training/step/weights.js';
import { SafetensorsFile, writeSafetensors } from '../../support/safetensors.js';
import { tableOf } from '../../model/table.js';
import { fill, readImage, type WeightsOptions } from './model.js';

export interface Feature {
  name: string;
  /** [batch, channels, height, width] */
  shape: readonly number[];
}

export interface ForwardOptions extends WeightsOptions {
  /** A safetensors file with `image`: [batch, 3, height, width], any size. */
  input: string;
  /** Names of features; see `listFeatures`. */
  outputs: readonly string[];
  /** The safetensors file to write. */
  out: string;
}

export interface Computed {
  features: Feature[];
  engine: string;
  /** Of the run itself, without compilation. */
  seconds: number;
}

/** What a trial's network shows, for images of the trial's own size or of those in `input`. */
export async function listFeatures(trial: TrialSpec, input?: string): Promise<Feature[]> {
  const { network, tasks } = assembled(trial);
  let shape = [1, ...createTrialContainer(tasks).create('transform', trial.config.augment).size, 3];
  if (input !== undefined) {
    const file = new SafetensorsFile(input);
    try {
      shape = [...readImage(file).shape];
    } finally {
      file.close();
    }
  }
  const features: Feature[] = [];
  await record((tracer) => {
    for (const [name, feature] of featuresOf(network, tracer, shape))
      features.push({ name, shape: channelsFirst(feature()).shape });
    return {};
  });
  return features;
}

function featuresOf(network: Network, tracer: Tracer, shape: readonly number[]): Map<string, () => Tensor4D> {
  const pass = new Pass(new ParameterTable(), tracer, false);
  network.forward(pass.root, tracer.input('image', 'float32', shape) as Tensor4D);
  return pass.features;
}

const channelsFirst = (x: Tensor4D): Tensor => x.transpose([0, 3, 1, 2]);

/**
 * Runs the network once and writes the features that are asked for.
 * @throws MtcpError `usage` for an unknown feature, `weights` or `data` if a file does not fit
 */
export async function forward(
  trial: TrialSpec,
  { input, outputs, out, ...weightsOptions }: ForwardOptions,
): Promise<Computed> {
  const file = new SafetensorsFile(input);
  let image: HostTensor;
  try {
    image = readImage(file);
  } finally {
    file.close();
  }
  const parts = assembled(trial);
  const [, height, width] = image.shape;
  const weights = new Weights(await tableOf(parts, [height, width]), new Arena(new Layout(new Map())));
  fill(trial, weights, weightsOptions);
  const engine = await createEngine(onOneDevice(trial.config.engine), threadsOf(trial.config));
  try {
    const program = await engine.compile('forward', (tracer) => {
      const features = featuresOf(parts.network, tracer, image.shape);
      return Object.fromEntries(
        outputs.map((name) => [name, channelsFirst(pick(features, name)())]),
      ) as NamedTensorMap;
    });
    const results = new Map<string, HostTensor>();
    const binding = program.bind((name, spec) => {
      if (name === 'image') return image;
      const weight = weights.input(name);
      if (weight) return weight;
      const tensor = hostTensor(spec);
      results.set(name, tensor);
      return tensor;
    });
    const began = performance.now();
    await binding.run();
    const seconds = (performance.now() - began) / 1000;
    binding.close();
    program.close();
    const inOrder = new Map(outputs.map((name) => [name, results.get(name)!]));
    writeSafetensors(out, inOrder, { row: trial.row, seed: String(trial.seed), engine: engine.description });
    const features = outputs.map((name) => ({ name, shape: results.get(name)!.shape }));
    return { features, engine: engine.description, seconds };
  } finally {
    engine.close();
  }
}

function pick(features: Map<string, () => Tensor4D>, name: string): () => Tensor4D {
  const feature = features.get(name);
  if (feature) return feature;
  throw new MtcpError('usage', `this row has no feature "${name}"`, {
    where: 'argument "--outputs"',
    hint: `${didYouMean(name, features.keys())} (--list shows all)`,
  });
}
