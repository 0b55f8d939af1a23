// Arrays that live on a device between runs. A kept array has a copy there, and programs that are bound to it read and
// write the copy; the array on the host is brought up to date only when somebody asks. So a training step moves its
// batch up and its losses down, and weights stay where they are.
import type { HostArray, HostTensor } from '../support/host-tensor.js';

/** Numbers that are on their way to a kept array, or there, without being its contents yet. */
export interface Staged {
  /** Frees them if they were never placed. */
  discard(): void;
}

export interface DeviceMemory {
  /** From now on programs read and write a copy of these arrays on the device. It begins with what they hold. */
  keep(tensors: Iterable<HostTensor>): void;
  /** The copies are freed, and programs copy the arrays again at each run. */
  release(tensors: Iterable<HostTensor>): void;
  /** Says that the arrays were written to on the host: the copies are replaced before the next program reads them. */
  changed(tensors: Iterable<HostTensor>): void;
  /** Brings the copies' numbers into the arrays. */
  pull(tensors: Iterable<HostTensor>): Promise<void>;
  /** Copies numbers for a kept array to the device while programs run there. */
  stage(tensor: HostTensor, numbers: HostArray): Promise<Staged>;
  /** Makes staged numbers the contents of a kept array's copy. */
  place(tensor: HostTensor, staged: Staged): void;
  /** Bytes that were copied to the device and from it since it was opened. */
  readonly moved: Readonly<Moved>;
}

export interface Moved {
  up: number;
  down: number;
}
