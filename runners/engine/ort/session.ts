// A session holds one compiled graph; a binding connects its inputs and outputs to arrays. A binding's arrays stay
// the same from step to step: weights, gradients and batches are never copied.
import type { HostTensor } from '../../support/host-tensor.js';
import type { DType, Shape } from '../graph/ir.js';
import type { Provider } from './providers.js';

export type { HostArray, HostTensor } from '../../support/host-tensor.js';

/** A tensor of any type that a graph has. */
export interface BoundTensor {
  readonly data: HostTensor['data'] | BigInt64Array | Uint8Array;
  readonly dtype: DType;
  readonly shape: Shape;
}

export interface Binding {
  /** Reads the inputs as they are now, leaves the outputs in their arrays. */
  run(): Promise<void>;
  close(): void;
}

export interface Session<T extends BoundTensor = HostTensor> {
  /** Bytes that a run takes on a device: inputs, outputs and what it holds in between; absent where that is not known. */
  readonly deviceBytes?: number;
  bind(inputs: ReadonlyMap<string, T>, outputs: ReadonlyMap<string, T>): Binding;
  close(): void;
}

export interface SessionOptions {
  /** Threads inside one operator; the first session of a process decides for all. */
  threads: number;
  /** Run on the calling thread alone: faster where operators are small. */
  alone?: boolean;
  /** onnxruntime's own graph optimiser; ours has run already, so less is often faster to start and as fast to run. */
  optimize: 'none' | 'basic' | 'extended' | 'all';
  /** What runs the operators; the CPU if left out. */
  provider?: Provider;
  /** Writes a profile with this file prefix. */
  profile?: string;
}
