// Registers how operations become graph nodes. A lowering is a function from the values of the inputs and the
// attributes to the values of the outputs. `kernel` registers one for a kernel of TensorFlow.js, `operation` one for
// an operation of registry/contracts/operations.ts, whose inputs, outputs and attributes are typed.
import * as tf from '../../../registry/tf.js';
import type { AttributesOf, InputsOf, Operation, OutputsOf } from '../../../registry/contracts/operations.js';
import { RECORDING, type RecordingBackend } from '../backend.js';
import type { Builder } from '../graph/builder.js';
import type { Value } from '../graph/ir.js';

/** The names of TensorFlow.js's kernels: it exports each as a constant, beside other names that do no harm. */
export type KernelName = {
  [K in keyof typeof tf]: (typeof tf)[K] extends K ? K : never;
}[keyof typeof tf];

export type Inputs = Record<string, Value>;
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Attributes = Record<string, any>;
export type Lowering = (build: Builder, inputs: Inputs, attributes: Attributes) => Value | Value[];

const lowered = new Set<Operation>();

/** The declared operations that the recording engine has a kernel for. */
export const loweredOperations: ReadonlySet<Operation> = lowered;

export function kernel(name: KernelName, lower: Lowering): void {
  register(name, lower);
}

/** Kernels that differ in one value each. */
export function kernels<T>(
  table: Partial<Record<KernelName, T>>,
  lowerWith: (value: T, ...args: Parameters<Lowering>) => ReturnType<Lowering>,
): void {
  for (const [name, value] of Object.entries(table) as [KernelName, T][])
    kernel(name, (...args) => lowerWith(value, ...args));
}

/** The kernel of a declared operation. */
export function operation<P extends Operation>(
  declared: P,
  lower: (
    build: Builder,
    inputs: InputsOf<P, Value>,
    attributes: AttributesOf<P>,
  ) => P['outputs']['length'] extends 1 ? Value : OutputsOf<P, Value>,
): void {
  lowered.add(declared);
  register(declared.name, lower as unknown as Lowering);
}

function register(kernelName: string, lower: Lowering): void {
  tf.registerKernel({
    kernelName,
    backendName: RECORDING,
    kernelFunc: ({ inputs, attrs, backend }) => {
      const recorder = backend as RecordingBackend;
      const values: Inputs = {};
      for (const [key, tensor] of Object.entries(inputs))
        if (tensor && !Array.isArray(tensor)) values[key] = recorder.value(tensor);
      recorder.observe(kernelName, Object.values(values));
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
