// How a TensorFlow.js kernel becomes graph nodes: `kernel(name, lower)` registers, for the recording backend,
// a function from the values of the named inputs and the attributes to the value or values of the outputs.
import * as tf from '@tensorflow/tfjs';
import { RECORDING, type RecordingBackend } from '../backend.js';
import type { Builder } from '../graph/builder.js';
import type { Value } from '../graph/ir.js';

export type Inputs = Record<string, Value>;
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Attributes = Record<string, any>;
export type Lowering = (build: Builder, inputs: Inputs, attributes: Attributes) => Value | Value[];

export function kernel(name: string, lower: Lowering): void {
  tf.registerKernel({
    kernelName: name,
    backendName: RECORDING,
    kernelFunc: ({ inputs, attrs, backend }) => {
      const recorder = backend as RecordingBackend;
      const values: Inputs = {};
      for (const [key, tensor] of Object.entries(inputs))
        if (tensor && !Array.isArray(tensor)) values[key] = recorder.value(tensor);
      const result = lower(recorder.build, values, attrs ?? {});
      return Array.isArray(result)
        ? result.map((value) => recorder.tensorInfo(value))
        : recorder.tensorInfo(result);
    },
  });
}

/** For kernels whose inputs are a list (Concat, Pack, AddN): TensorFlow.js passes them as numbered entries. */
export const listOf = (inputs: Inputs): Value[] => Object.values(inputs);

/** Axes as TensorFlow.js gives them: a number, a list, or nothing for all; negative ones count from the end. */
export function axesOf(axis: number | number[] | undefined | null, rank: number): number[] {
  return tf.util.parseAxisParam(
    axis ?? Array.from({ length: rank }, (_, i) => i),
    Array<number>(rank).fill(1),
  );
}
