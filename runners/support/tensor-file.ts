// Files of named tensors as most code sees them: shapes first, numbers one tensor at a time, so that a large file never has
// to be in memory as a whole.
import { numbersIn } from './host-tensor.js';
import type { StoredTensor, WritableTensor } from './safetensors.js';

/** Tensors by name, read when they are wanted. */
export interface TensorFile {
  readonly tensors: ReadonlyMap<string, Pick<StoredTensor, 'shape'>>;
  readInto(name: string, target: Float32Array | Int32Array): void;
}

/** @param name of a tensor in the file */
export function readTensor(file: TensorFile, name: string): Float32Array<ArrayBuffer> {
  const numbers = new Float32Array(numbersIn(file.tensors.get(name)!.shape));
  file.readInto(name, numbers);
  return numbers;
}

/**
 * The same tensor for another file; it is read when it is written.
 * @param shape of as many numbers; that in the file if left out
 */
export const tensorOf = (
  file: TensorFile,
  name: string,
  shape: readonly number[] = file.tensors.get(name)!.shape,
): WritableTensor => ({
  dtype: 'float32',
  shape,
  data: () => readTensor(file, name),
});
