// Tensors that other frameworks store as one and mtcp as several, for example the queries, keys and values of an
// attention.
import type { CheckpointFormat } from '../../../registry/contracts/checkpoints.js';
import type { StoredTensor } from '../../support/safetensors.js';

/** Tensors by name, read when they are wanted. */
export interface TensorFile {
  readonly tensors: ReadonlyMap<string, Pick<StoredTensor, 'shape'>>;
  readInto(name: string, target: Float32Array | Int32Array): void;
}

/** The file as the format's component takes it: what it splits is there in its parts, the rest as it is. */
export function splitTensors<T extends TensorFile>(
  file: T,
  format: Pick<CheckpointFormat, 'splits'> | undefined,
): TensorFile {
  const tensors = new Map<string, Pick<StoredTensor, 'shape'>>();
  const parts = new Map<string, { whole: string; index: number }>();
  for (const [name, stored] of file.tensors) {
    const { shape } = stored;
    const rule = format?.splits?.find(
      ([pattern, names]) => pattern.test(name) && shape[0] % names.length === 0,
    );
    if (!rule) {
      tensors.set(name, stored);
      continue;
    }
    const [pattern, names] = rule;
    names.forEach((part, index) => {
      const own = name.replace(pattern, part);
      tensors.set(own, { shape: [shape[0] / names.length, ...shape.slice(1)] });
      parts.set(own, { whole: name, index });
    });
  }
  return {
    tensors,
    readInto(name, target) {
      const part = parts.get(name);
      if (!part) return file.readInto(name, target);
      const { shape } = file.tensors.get(part.whole)!;
      const whole = new Float32Array(shape.reduce((product, n) => product * n, 1));
      file.readInto(part.whole, whole);
      target.set(whole.subarray(part.index * target.length, (part.index + 1) * target.length));
    },
  };
}
