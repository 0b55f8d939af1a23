// An engine compiles a function over tensors into a program that runs repeatedly on arrays. The caller describes the
// computation in TensorFlow.js operations; the engine decides when and where it runs.
import type { NamedTensorMap, Tensor } from '../../registry/tf.js';
import type { DeviceMemory } from './device-memory.js';
import type { Shape, Value } from './graph/ir.js';
import type { Packing } from './graph/packed.js';
import type { Binding, HostTensor } from './ort/session.js';

export interface TensorSpec {
  readonly dtype: 'float32' | 'int32';
  readonly shape: Shape;
}

/** Handed to the function being compiled. */
export interface Tracer {
  /** The input `name`, declared by asking for it; the same name always gives the same tensor. */
  input(name: string, dtype: TensorSpec['dtype'], shape: Shape): Tensor;
  /** Says which part of the model runs now; used in messages. */
  label(path: string): void;
  /** True if the tensor is known to be zero whatever the inputs are: nothing depends on it. */
  isZero(tensor: Tensor): boolean;
}

export interface ProgramStats {
  /** Seconds spent recording, and building the session. */
  recordSeconds: number;
  sessionSeconds: number;
  nodes: number;
  /** Bytes of the graph, constants included. */
  bytes: number;
  /** Floating-point operations of a run: matrix products and convolutions. */
  flops: number;
  /** Bytes of the values that are alive at a time, at their most. */
  peakBytes: number;
  /** Bytes that operators write in a run. */
  writtenBytes: number;
  /** Programs that the graph was cut into, to run on several threads. */
  parts: number;
}

export interface Program {
  readonly inputs: ReadonlyMap<string, TensorSpec>;
  readonly outputs: ReadonlyMap<string, TensorSpec>;
  readonly stats: ProgramStats;
  /** Bytes that a run takes on a device; absent where that is not known. */
  readonly deviceBytes?: number;
  /** How many of its bindings are worth running at the same time; 1 where a run takes all threads. */
  readonly lanes: number;
  /** Floating-point operations of each operator, in the order of their numbers in a profile; see EngineOptions. */
  flopsByOperator?(): readonly number[];
  /** Ties every input and output to an array; the program reads and writes them in place. */
  bind(tensors: (name: string, spec: TensorSpec) => HostTensor): Binding;
  /** Runs once more with the given inputs and names the first value that is not finite, if there is one. */
  firstNonFinite(inputs: (name: string, spec: TensorSpec) => HostTensor): Promise<string | undefined>;
  close(): void;
}

/** What a function of vectors works on. */
export interface VectorOptions {
  /** Numbers in each vector, a multiple of 16. */
  length: number;
  /** Names of the vectors. Some may be no input of the function. */
  vectors: readonly string[];
  /** Names of the scalars. */
  scalars: readonly string[];
  /** Where each part begins that has scalars of its own: the first at 0, all at multiples of 16. */
  parts: readonly number[];
}

/** A function of vectors, number by number, that replaces vectors by what it computes. It holds the vectors. */
export interface VectorProgram {
  readonly stats: ProgramStats;
  readonly vectors: ReadonlyMap<string, Float32Array>;
  /** @param scalars of each part, by name */
  run(scalars: readonly Readonly<Record<string, number>>[]): void;
  /** In double precision, the same to the last bit whatever the number of threads. */
  sumOfSquares(vector: string): number;
  close(): void;
}

/**
 * Whether the first axis of an input or output is the samples of a batch. An engine with several devices divides these
 * among them. That does not change what is computed.
 */
export type IsBatched = (name: string, shape: Shape) => boolean;

export interface CompileOptions {
  /**
   * Values of this many bytes and more that wait between two uses are computed a second time instead, where that takes
   * only copies and elementwise arithmetic. Default: none. Engines that record no graph keep them all.
   */
  recomputedFrom?: number;
  /**
   * Inputs and outputs that are parts of vectors, for engines with a device's memory. Called when the function has
   * been recorded.
   */
  packing?: (outputs: ReadonlyMap<string, Pick<Value, 'shape' | 'dtype'>>) => Packing;
  /** Outputs that are bound to the array of an input, which is not read any more when they are written. */
  inPlace?: ReadonlyMap<string, string>;
  isBatched?: IsBatched;
  /** Hears of compilation that takes long. */
  tell?: (what: string) => void;
}

export interface Engine {
  readonly description: string;
  /** Of engines that can keep arrays on a device between runs. */
  readonly memory?: DeviceMemory;
  /** That a batch is divided among: 1 for most engines. */
  readonly devices: number;
  /** @param define computes the outputs from inputs it asks `tracer` for; called once, or at each run */
  compile(
    name: string,
    define: (tracer: Tracer) => NamedTensorMap,
    options?: CompileOptions,
  ): Promise<Program>;
  /**
   * Two programs from one function: the second starts from what the first left. What it needs of the first one's
   * intermediate values it reads from arrays that the first writes, under the same `carried/...` names.
   */
  compilePair(
    name: string,
    define: (tracer: Tracer) => readonly [NamedTensorMap, NamedTensorMap],
    options?: CompileOptions,
  ): Promise<readonly [Program, Program]>;
  /**
   * Compiles `define`, which asks for vectors [length] and scalars [] by their names and returns vectors under the names
   * of those that they replace, into one pass over memory. Undefined where the engine has none for this function; then
   * `compile` it for vectors of any length.
   */
  compileVectors?(
    name: string,
    define: (tracer: Tracer) => NamedTensorMap,
    options: VectorOptions,
  ): Promise<VectorProgram | undefined>;
  close(): void;
}

/** A zero-filled host tensor of this kind. */
export function hostTensor({ dtype, shape }: TensorSpec): HostTensor {
  const bytes = shape.reduce((product, n) => product * n, 4);
  // From an explicit ArrayBuffer: V8 keeps small typed arrays on its own heap, where they move.
  const buffer = new ArrayBuffer(Math.max(bytes, 4));
  const data =
    dtype === 'float32' ? new Float32Array(buffer, 0, bytes / 4) : new Int32Array(buffer, 0, bytes / 4);
  return { data, dtype, shape };
}

export const describeSpec = ({ dtype, shape }: TensorSpec): string => `${dtype}[${shape.join(',')}]`;
