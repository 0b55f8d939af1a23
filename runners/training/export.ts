// A trained network as one ONNX file that runs anywhere: the recorded evaluation, with the weights inside.
import * as tf from '@tensorflow/tfjs';
import type { Trial } from '../config/index.js';
import { toOnnx } from '../engine/graph/onnx.js';
import type { HostTensor } from '../engine/ort/session.js';
import { record } from '../engine/recording.js';
import { createTrialContainer } from '../../registry/container.js';
import { inputName } from '../../modules/nn/scope.js';
import { tracePredictions } from './evaluation.js';
import { partsOf } from './parts.js';

export interface Exported {
  model: Uint8Array;
  inputs: Record<string, ExportedTensor>;
  outputs: Record<string, ExportedTensor>;
}

export interface ExportedTensor {
  dtype: 'float32' | 'int32';
  shape: number[];
}

/**
 * @param weights by name, as a checkpoint holds them
 * @returns input `image` [batch, H, W, 3], normalised as the pipeline does it; output `prediction/<task>`: class
 * indices [batch, H, W], depth in metres or a probability [batch, H, W, 1], unit normals [batch, H, W, 3]
 */
export async function exportOnnx(
  trial: Trial,
  weights: ReadonlyMap<string, HostTensor>,
  batch = 1,
): Promise<Exported> {
  const { network, tasks } = partsOf(trial);
  const { size } = createTrialContainer(tasks).create('transform', trial.config.augment);
  const values = new Map(
    [...weights].flatMap(([name, tensor]) => [
      [inputName.parameter(name), tensor] as const,
      [inputName.buffer(name), tensor] as const,
    ]),
  );
  const { graph, outputs } = await record((tracer) =>
    tracePredictions(
      {
        ...tracer,
        input(name, dtype, shape) {
          const known = values.get(name);
          return known
            ? tf.tensor(known.data, [...known.shape], known.dtype)
            : tracer.input(name, dtype, shape);
        },
      },
      network,
      [batch, ...size],
    ),
  );
  const specOf = ({ dtype, shape }: { dtype: string; shape: readonly number[] }): ExportedTensor => ({
    dtype: dtype as ExportedTensor['dtype'],
    shape: [...shape],
  });
  return {
    model: toOnnx(graph, outputs),
    inputs: Object.fromEntries(graph.inputs.map((value) => [value.input!, specOf(value)])),
    outputs: Object.fromEntries([...outputs].map(([name, value]) => [name, specOf(value)])),
  };
}
