// What `mtcp forward` and `mtcp grad` share: a trial's network with weights and inputs from files, for comparison
// with another framework.
import { checkpointsOf } from '../../store/weights/told.js';
import { MtcpError } from '../../../registry/errors.js';
import { didYouMean } from '../../../registry/support/near.js';
import type { TrialSpec } from '../../config/index.js';
import type { HostTensor } from '../../engine/ort/session.js';
import type { Weights } from '../../training/step/weights.js';
import { fitModel, readFitted, requireFit, shapesOf, type Fit } from '../../store/weights/fit.js';
import type { SafetensorsFile } from '../../support/safetensors.js';
import { WeightsSource } from '../../support/weights-source.js';
import { fitTrial, loadStart, shapesIn } from '../../store/weights/start.js';

export interface WeightsOptions {
  /** A file or Hugging Face folder; without one the trial starts as it would when it is trained. */
  weights?: string;
  /** Sections that the file is for; the rest comes from the seed. Without it the file has to hold the whole model. */
  partial?: readonly string[];
}

const PARTIAL = ['backbone'];

/**
 * Numbers from the seed, then from the trial's own file, then from `weights`.
 * @throws MtcpError `weights` if a tensor is missing, unexpected or of another shape
 */
export function fill(
  trial: TrialSpec,
  weights: Weights,
  { weights: path, partial = [] }: WeightsOptions,
): void {
  for (const section of partial)
    if (!PARTIAL.includes(section))
      throw new MtcpError('usage', `a file for "${section}" alone cannot be loaded`, {
        where: `argument "--partial ${section}"`,
        hint: didYouMean(section, PARTIAL),
      });
  if (partial.length > 0 && path === undefined)
    throw new MtcpError('usage', '--partial says what --weights holds, and there is no --weights');
  weights.initialize(trial.seed);
  const array = (name: string) => weights.array(name);
  if (path === undefined) {
    loadStart(trial, weights.table, array, (source) => {
      throw new MtcpError('usage', `row "${trial.row}" starts from what row "${source.row}" trained`, {
        hint: 'name weights with --weights, such as those of a finished trial',
      });
    });
    return;
  }
  const source = new WeightsSource(path);
  try {
    const backbone = fitTrial(trial, source, weights.table);
    const fit: Fit =
      partial.length > 0
        ? backbone.fit
        : fitModel(
            shapesOf(backbone.file.tensors),
            shapesIn(weights.table),
            checkpointsOf(trial.config.model.backbone).format,
          );
    const isBackbone = backbone.fit.missing.length === 0;
    const hasMore = [...fit.taken.keys()].some((name) => !name.startsWith('backbone.'));
    if (partial.length === 0 && isBackbone && !hasMore)
      throw new MtcpError('weights', `${path} holds the backbone alone`, {
        where: `argument "--weights ${path}"`,
        hint: 'with --partial backbone the rest of the model comes from the seed',
      });
    requireFit(fit, path, `argument "--weights ${path}"`);
    readFitted(backbone.file, fit, array);
  } finally {
    source.close();
  }
}

/**
 * The tensor `image` of a file as the network wants it.
 * @returns [batch, height, width, 3] from [batch, 3, height, width]
 */
export function readImage(file: SafetensorsFile): HostTensor {
  const image = readMap(file, ['image']);
  if (image.shape[3] !== 3)
    throw new MtcpError('data', `${file.path}: "image" has ${image.shape[3]} channels`, {
      hint: 'it is [batch, 3, height, width], float32, normalised as the network is used to',
    });
  return image;
}

/** The first of these tensors that the file has, NCHW to NHWC; three axes are a map of one channel. */
export function readMap(file: SafetensorsFile, names: readonly string[]): HostTensor {
  const name = names.find((known) => file.tensors.has(known));
  if (name === undefined)
    throw new MtcpError('data', `${file.path} has no tensor "${names[0]}"`, {
      hint: didYouMean(names[0], file.tensors.keys()),
    });
  const { shape, data, dtype } = file.read(name);
  if (shape.length !== 4 && shape.length !== 3)
    throw new MtcpError(
      'data',
      `${file.path}: "${name}" is ${shape.join('x')}, not [batch, channels, height, width]`,
    );
  const [batch, channels, height, width] = shape.length === 4 ? shape : [shape[0], 1, shape[1], shape[2]];
  const moved = data.slice();
  const positions = height * width;
  for (let b = 0; b < batch; b++)
    for (let c = 0; c < channels; c++) {
      const from = (b * channels + c) * positions;
      for (let i = 0; i < positions; i++) moved[(b * positions + i) * channels + c] = data[from + i];
    }
  return { shape: [batch, height, width, channels], data: moved, dtype };
}
