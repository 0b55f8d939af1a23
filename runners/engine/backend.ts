// A TensorFlow.js backend that does no arithmetic. Each kernel adds nodes to a graph and returns a tensor that stands
// for a value of that graph. Models, losses and tf.grads run on it once, unchanged, and so record a whole training
// step.
import * as tf from '../../registry/tf.js';
import { operationUnderWay } from './operation-names.js';
import { Builder } from './graph/builder.js';
import type { Target } from './graph/target.js';
import { Graph, type Constant, type DType, type Shape, type Value } from './graph/ir.js';
import type { Recomputing } from '../../registry/contracts/operations.js';
import { MtcpError } from '../../registry/errors.js';

export const RECORDING = 'mtcp-recording';

type DataId = object;

/** An operation that no gradient can flow through. */
export interface WithoutGradient {
  kernel: string;
  /** As its caller wrote it: 'tf.stridedSlice'. */
  operation: string;
  /** The layer that was at work; see Graph. */
  label: string;
  /** Has the stack of the call. */
  at: Error;
}

export class RecordingBackend extends tf.KernelBackend implements Recomputing {
  graph = new Graph();
  build = new Builder(this.graph);
  #values = new WeakMap<DataId, Value>();
  #recomputations = 0;
  #refused: MtcpError | undefined;
  #withoutGradient: WithoutGradient[] = [];

  /** Forgets everything recorded so far. */
  restart(target?: Target): void {
    this.graph = new Graph();
    this.build = new Builder(this.graph, target);
    this.#values = new WeakMap();
    this.#refused = undefined;
    this.#withoutGradient = [];
  }

  /** The value behind a tensor of this backend. */
  value(tensor: tf.TensorInfo): Value {
    const value = this.#values.get(tensor.dataId);
    if (!value)
      throw new MtcpError('engine', 'a tensor that does not belong to this recording was used in it');
    return value;
  }

  /** A tensor for a value; int64 and bool stay inside the graph, so a kernel casts before it returns them. */
  tensorInfo(value: Value, shape: Shape = value.shape): tf.TensorInfo {
    const dataId: DataId = {};
    this.#values.set(dataId, value);
    return { dataId, shape: [...shape], dtype: value.dtype === 'int64' ? 'int32' : value.dtype };
  }

  input(name: string, dtype: 'float32' | 'int32', shape: Shape): tf.Tensor {
    return tf.engine().makeTensorFromTensorInfo(this.tensorInfo(this.graph.input(name, dtype, shape)));
  }

  /** See modules/nn/ops/recomputed.ts. */
  recomputed<T>(body: () => T): T {
    return this.holdsWhole ? body() : this.graph.recomputed(`recomputed${this.#recomputations++}`, body);
  }

  get holdsWhole(): boolean {
    return this.build.target.holdsWhole;
  }

  /** Operations on numbers that depend on inputs and that TensorFlow.js has no gradient for. */
  get withoutGradient(): readonly WithoutGradient[] {
    return this.#withoutGradient;
  }

  /** Called for every kernel that runs. */
  observe(kernel: string, inputs: readonly Value[]): void {
    // What a kernel is composed of is differentiated as a whole.
    if (tf.engine().state.kernelDepth > 1 || tf.getGradient(kernel)) return;
    if (!inputs.some(({ dtype, constant }) => dtype === 'float32' && !constant)) return;
    const operation = operationUnderWay() ?? kernel;
    this.#withoutGradient.push({ kernel, operation, label: this.graph.label, at: new Error(operation) });
  }

  override write(values: tf.backend_util.BackendValues | null, shape: number[], dtype: tf.DataType): DataId {
    const dataId: DataId = {};
    this.#values.set(dataId, this.#constant(values, shape, dtype));
    return dataId;
  }

  #constant(values: tf.backend_util.BackendValues | null, shape: number[], dtype: tf.DataType): Value {
    if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool')
      throw new MtcpError('engine', `tensors of type ${dtype} cannot be recorded`);
    const type: DType = dtype;
    const data = (values ?? new Float32Array(tf.util.sizeFromShape(shape))) as ArrayLike<number>;
    const first = data[0] ?? 0;
    for (let i = 1; i < data.length; i++)
      if (!Object.is(data[i], first)) {
        const Typed = { float32: Float32Array, int32: Int32Array, bool: Uint8Array }[type];
        return this.graph.constant(type, shape, { data: Typed.from(data) });
      }
    return this.graph.constant(type, shape, { splat: first });
  }

  override readSync(dataId: DataId): tf.backend_util.BackendValues {
    const value = this.#values.get(dataId);
    if (value?.constant) return constantValues(value, value.constant);
    throw this.#refuse(this.readSync);
  }

  /**
   * Waiting for a value that a recording does not have would never end: an error in the promise would reach nobody
   * who could say where it came from. `throwRefused` says it.
   */
  override read(dataId: DataId): Promise<tf.backend_util.BackendValues> {
    if (this.#values.get(dataId)?.constant) return Promise.resolve(this.readSync(dataId));
    this.#refused ??= this.#refuse(this.read);
    return new Promise(() => {});
  }

  /** @throws MtcpError if a value was asked for asynchronously since the recording began */
  throwRefused(): void {
    const refused = this.#refused;
    this.#refused = undefined;
    if (refused) throw refused;
  }

  /** @param caller the stack of the error begins with its caller */
  #refuse(caller: (dataId: DataId) => unknown): MtcpError {
    const error = new MtcpError('engine', 'the value of a tensor was asked for while recording', {
      hint: 'a recorded model cannot look at its data (data, dataSync, array, arraySync, print, whereAsync, booleanMaskAsync): write the choice with tf.where',
    });
    Error.captureStackTrace(error, caller);
    return error;
  }

  // Values live as long as the graph: there is nothing to free.
  override disposeData(): boolean {
    return true;
  }
  override refCount(): number {
    return 1;
  }
  override incRef(): void {}
  override numDataIds(): number {
    return 0;
  }
  override timerAvailable(): boolean {
    return false;
  }
  override floatPrecision(): 32 {
    return 32;
  }
  override epsilon(): number {
    return 1e-7;
  }
  override dispose(): void {}
}

function constantValues(value: Value, constant: Constant): Float32Array | Int32Array | Uint8Array {
  if ('data' in constant) return constant.data as Float32Array | Int32Array | Uint8Array;
  const count = value.shape.reduce((product, n) => product * n, 1);
  const Typed = value.dtype === 'float32' ? Float32Array : value.dtype === 'bool' ? Uint8Array : Int32Array;
  return new Typed(count).fill(constant.splat);
}

/**
 * @throws MtcpError `engine` if, in the recording that is under way, a value was asked for by a function that did not
 *   wait for it
 */
export function throwRefused(): void {
  const { backend } = tf.engine();
  if (backend instanceof RecordingBackend) backend.throwRefused();
}
