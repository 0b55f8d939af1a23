// A trained trial as one ONNX model that does not need mtcp: `mtcp export` writes it as a file, alone or in a folder with
// what reads pictures and draws predictions (python-folder.ts, demo/).
import type { Tensor4D } from '../../registry/tf.js';
import { createTrialContainer } from '../../registry/container.js';
import type { Transform } from '../../registry/contracts/data.js';
import type { Task } from '../../registry/contracts/tasks.js';
import { MtcpError } from '../../registry/errors.js';
import { kindOf } from '../../registry/kinds.js';
import type { TrialSpec } from '../config/index.js';
import { onnxFile } from '../engine/graph/onnx-file.js';
import { record } from '../engine/recording.js';
import type { HostTensor } from '../engine/ort/session.js';
import { writeOutput } from '../support/files.js';
import { tracePredictions } from '../training/evaluation.js';
import { assembled } from '../model/assemble.js';
import { SafetensorsFile } from '../support/safetensors.js';
import { mergedAdapters } from '../store/weights/adapters.js';
import { numbersIn } from '../support/host-tensor.js';
import { readTensor, type TensorFile } from '../support/tensor-file.js';
import { wholeWeights } from '../store/checkpoint.js';
import { trialIn, weightsIn } from '../store/weights/trial-folder.js';

export interface OnnxModelOptions {
  /** Folder of a trial. */
  folder: string;
  /** Name of a checkpoint; by default the weights that the trial's numbers belong to. */
  checkpoint?: string;
  /** Height and width of the input; by default those the trial was trained at. */
  size?: readonly [number, number];
}

export interface OnnxExportOptions extends OnnxModelOptions {
  /** File to write. */
  out: string;
}

/** What a model takes and gives. */
export interface OnnxDescription {
  checkpoint: string;
  nodes: number;
  input: { name: 'image'; shape: (number | 'batch')[]; description: string };
  outputs: { name: string; dtype: string; shape: (number | 'batch')[]; description: string }[];
}

export interface OnnxExported extends OnnxDescription {
  out: string;
  bytes: number;
}

/** A model in memory, and what it was made of. */
export interface OnnxModel {
  model: Uint8Array;
  described: OnnxDescription;
  trial: TrialSpec;
  tasks: readonly Task[];
  /** The pipeline at the model's size. */
  transform: Transform;
  /** What the model does to colours, for each channel: value * scale + offset. */
  colours: Normalisation;
}

interface Normalisation {
  scale: number[];
  offset: number[];
}

/** Why height and width are not dynamic; stands in the file too. */
export const ONE_SIZE =
  'resizing is by matrices, windows and position encodings are laid out, and large products are cut into tiles for one size of the input';

/** The largest message of protocol buffers. */
const MOST_BYTES = 2 ** 31 - 1;

/** @throws MtcpError as `onnxModel` */
export async function exportOnnx({ out, ...options }: OnnxExportOptions): Promise<OnnxExported> {
  const { model, described } = await onnxModel(options);
  writeOutput(out, model);
  return { out, bytes: model.byteLength, ...described };
}

/**
 * @throws MtcpError `usage` if there is no such trial or checkpoint, `weights` if a parameter is of another size of the
 * input, `engine` if the model is too large for a file
 */
export async function onnxModel({ folder, checkpoint, size }: OnnxModelOptions): Promise<OnnxModel> {
  const trial = trialIn(folder);
  const weights = weightsIn(folder, checkpoint);
  // Low-rank updates go into the weights; see mergedAdapters.
  const { train } = trial.config;
  const whole = { ...trial, config: { ...trial.config, train: { ...train, lora: null } } };
  const { network, tasks } = assembled(whole);
  const components = createTrialContainer(tasks);
  const augment = size ? { ...trial.config.augment, size: [...size] } : trial.config.augment;
  const transform = components.create('transform', augment);
  const colours = normalisation(transform);
  const recorded = await record((tracer) => {
    const predictions = tracePredictions(tracer, network, [1, ...transform.size], trial.config.evaluate);
    return Object.fromEntries(
      tasks.map(({ name }) => {
        const prediction = predictions[`prediction/${name}`];
        // One number a pixel is a map without an axis of channels.
        return [name, prediction.shape[3] === 1 ? (prediction as Tensor4D).squeeze([3]) : prediction];
      }),
    );
  });
  const file = new SafetensorsFile(wholeWeights(weights));
  try {
    const merged = mergedAdapters(file, train.lora);
    const total = [...merged.tensors.values()].reduce((sum, { shape }) => sum + 4 * numbersIn(shape), 0);
    if (total > MOST_BYTES)
      throw new MtcpError('engine', `${total} bytes of weights do not fit one ONNX file`, { where: folder });
    const [height, width] = transform.size;
    const classNames = tasks.flatMap(({ name, classes: names }) =>
      names ? [[`${name}.classes`, names.join(',')] as const] : [],
    );
    const input = {
      name: 'image' as const,
      description: `RGB, 0..255, ${height}x${width}; ${transform.fit === 'pad' ? 'centred, padded with the mean colour' : 'stretched to this size'}`,
    };
    const descriptions = Object.fromEntries(tasks.map((task) => [task.name, kindOf(task).meaning]));
    const model = onnxFile({
      ...recorded,
      input: { ...input, ...colours },
      descriptions,
      weights: (name, shape) => weightOf(merged, name.slice(name.indexOf('/') + 1), shape, folder),
      description: `${trial.experiment}, ${trial.row}, seed ${trial.seed}`,
      metadata: {
        experiment: trial.experiment,
        row: trial.row,
        seed: String(trial.seed),
        trial: trial.hash,
        size: `${height}x${width}`,
        'size.fixed': ONE_SIZE,
        batch: 'any',
        ...Object.fromEntries(classNames),
      },
    });
    const described: OnnxDescription = {
      checkpoint: weights,
      nodes: recorded.graph.reachable([...recorded.outputs.values()]).length,
      input: { ...input, shape: ['batch', height, width, 3] },
      outputs: [...recorded.outputs].map(([name, { dtype, shape }]) => ({
        name,
        dtype,
        shape: ['batch', ...shape.slice(1)],
        description: descriptions[name],
      })),
    };
    return { model, described, trial, tasks, transform, colours };
  } finally {
    file.close();
  }
}

/** @throws MtcpError `weights` if the file has no such parameter, or one of another shape */
function weightOf(
  file: TensorFile,
  name: string,
  shape: readonly number[],
  folder: string,
): HostTensor & { data: Float32Array } {
  const stored = file.tensors.get(name);
  if (stored?.shape.join() !== shape.join())
    throw new MtcpError('weights', `the weights have no "${name}" of ${shape.join('x')}`, {
      where: folder,
      hint: stored && 'the parameter depends on the size of the image; leave out --size',
    });
  return { data: readTensor(file, name), dtype: 'float32', shape };
}

/**
 * What the pipeline does to colours, found by showing it three grey images: a factor and an offset for each channel.
 * @throws MtcpError `config` if it is not of that form
 */
function normalisation(transform: Transform): Normalisation {
  const [height, width] = transform.size;
  const middle = (Math.floor(height / 2) * width + Math.floor(width / 2)) * 3;
  const [black, grey, white] = [0, 128, 255].map((value) => {
    const data = new Uint8Array(height * width * 3).fill(value);
    const { image } = transform.evaluate({
      id: 'grey',
      image: { height, width, channels: 3, data },
      labels: {},
    });
    return Array.from(image.data.subarray(middle, middle + 3));
  });
  const scale = white.map((value, c) => (value - black[c]) / 255);
  if (grey.some((value, c) => Math.abs(value - (black[c] + 128 * scale[c])) > 1e-5))
    throw new MtcpError(
      'config',
      'the input pipeline changes colours in a way that is not a factor and an offset',
      {
        hint: 'such a pipeline cannot be part of the exported file',
      },
    );
  return { scale, offset: black };
}
