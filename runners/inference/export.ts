// mtcp export: writes a trained trial as one ONNX file that does not need mtcp.
import type { Tensor4D } from '../../registry/tf.js';
import { createTrialContainer } from '../../registry/container.js';
import type { Transform } from '../../registry/contracts/data.js';
import { MtcpError } from '../../registry/errors.js';
import { kindOf } from '../../registry/kinds.js';
import { onnxFile } from '../engine/graph/onnx-file.js';
import { record } from '../engine/recording.js';
import { hostTensor } from '../engine/engine.js';
import { writeOutput } from '../support/files.js';
import { tracePredictions } from '../training/evaluation.js';
import { assembled } from '../model/assemble.js';
import { SafetensorsFile } from '../support/safetensors.js';
import { wholeWeights } from '../store/checkpoint.js';
import { trialIn, weightsIn } from '../store/weights/trial-folder.js';

export interface OnnxExportOptions {
  /** Folder of a trial. */
  folder: string;
  /** File to write. */
  out: string;
  /** Name of a checkpoint; by default the weights that the trial's numbers belong to. */
  checkpoint?: string;
  /** Height and width of the input; by default those the trial was trained at. */
  size?: readonly [number, number];
}

export interface OnnxExported {
  out: string;
  bytes: number;
  checkpoint: string;
  nodes: number;
  input: { name: 'image'; shape: (number | 'batch')[]; description: string };
  outputs: { name: string; dtype: string; shape: (number | 'batch')[]; description: string }[];
}

/** Why height and width are not dynamic; stands in the file too. */
export const ONE_SIZE =
  'resizing is by matrices, windows and position encodings are laid out, and large products are cut into tiles for one size of the input';

/** The largest message of protocol buffers. */
const MOST_BYTES = 2 ** 31 - 1;

/** @throws MtcpError `usage` if there is no such trial or checkpoint, `engine` if the model is too large for a file */
export async function exportOnnx({
  folder,
  out,
  checkpoint,
  size,
}: OnnxExportOptions): Promise<OnnxExported> {
  const trial = trialIn(folder);
  const weights = weightsIn(folder, checkpoint);
  const { network, tasks } = assembled(trial);
  const components = createTrialContainer(tasks);
  const augment = size ? { ...trial.config.augment, size: [...size] } : trial.config.augment;
  const transform = components.create('transform', augment);
  const { scale, offset } = normalisation(transform);
  const recorded = await record((tracer) => {
    const predictions = tracePredictions(tracer, network, [1, ...transform.size]);
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
    const total = [...file.tensors.values()].reduce(
      (sum, { shape }) => sum + 4 * shape.reduce((a, b) => a * b, 1),
      0,
    );
    if (total > MOST_BYTES)
      throw new MtcpError('engine', `${total} bytes of weights do not fit one ONNX file`, { where: folder });
    const [height, width] = transform.size;
    const classes = tasks.flatMap(({ name, classes: names }) =>
      names ? [[`${name}.classes`, names.join(',')] as const] : [],
    );
    const input = {
      name: 'image' as const,
      description: `RGB, 0..255, ${height}x${width}; ${transform.fit === 'pad' ? 'centred, padded with the mean colour' : 'stretched to this size'}`,
    };
    const descriptions = Object.fromEntries(tasks.map((task) => [task.name, kindOf(task).meaning]));
    const model = onnxFile({
      ...recorded,
      input: { ...input, scale, offset },
      descriptions,
      weights(name) {
        const stored = name.slice(name.indexOf('/') + 1);
        const tensor = hostTensor({ dtype: 'float32', shape: file.tensors.get(stored)?.shape ?? [] });
        if (!file.tensors.has(stored))
          throw new MtcpError('weights', `${file.path} has no "${stored}"`, { where: folder });
        file.readInto(stored, tensor.data);
        return tensor;
      },
      description: `${trial.experiment}, ${trial.row}, seed ${trial.seed}`,
      metadata: {
        experiment: trial.experiment,
        row: trial.row,
        seed: String(trial.seed),
        trial: trial.hash,
        size: `${height}x${width}`,
        'size.fixed': ONE_SIZE,
        batch: 'any',
        ...Object.fromEntries(classes),
      },
    });
    writeOutput(out, model);
    return {
      out,
      bytes: model.byteLength,
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
  } finally {
    file.close();
  }
}

/**
 * What the pipeline does to colours, found by showing it three grey images: a factor and an offset for each channel.
 * @throws MtcpError `config` if it is not of that form
 */
function normalisation(transform: Transform): { scale: number[]; offset: number[] } {
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
