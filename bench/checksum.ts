// Checksums of tensors, which the two processes compare instead of the tensors.
import type { HostTensor } from '../runners/engine/ort/session.js';

/** Sum and norm of a tensor: the same in any layout. */
export type Checksum = [sum: number, norm: number];

export function checksumsOf(tensors: ReadonlyMap<string, HostTensor>): Record<string, Checksum> {
  return Object.fromEntries([...tensors].map(([name, { data }]) => [name, checksum(data)]));
}

export function checksum(data: ArrayLike<number>): Checksum {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < data.length; i++) {
    sum += data[i];
    squares += data[i] * data[i];
  }
  return [sum, Math.sqrt(squares)];
}
