// Tensors that other frameworks store as one and mtcp as several, for example the queries, keys and values of an
// attention; and those that they store as several and mtcp as one.
import type { CheckpointFormat } from '../../../registry/contracts/checkpoints.js';
import { numbersIn } from '../../support/host-tensor.js';
import type { StoredTensor } from '../../support/safetensors.js';
import { readTensor, type TensorFile } from '../../support/tensor-file.js';

type Format = Pick<CheckpointFormat, 'splits' | 'joins'> | undefined;

/** Whether a name may be split or joined. */
type Among = (name: string) => boolean;

/** The names of a backbone: all of its own file, in the file of a whole network those of that part alone. */
export function backboneNames({ tensors }: TensorFile): Among {
  const isOwn = (name: string) => name.startsWith('backbone.');
  return [...tensors.keys()].some(isOwn) ? isOwn : () => true;
}

/** The file as the format's component takes it: what it splits is there in its parts, what it joins as one. */
export function splitTensors<T extends TensorFile>(
  file: T,
  format: Format,
  among: Among = () => true,
): TensorFile {
  return joined(split(file, format, among), format, among);
}

function split(file: TensorFile, format: Format, among: Among): TensorFile {
  const tensors = new Map<string, Pick<StoredTensor, 'shape'>>();
  const parts = new Map<string, { whole: string; index: number }>();
  for (const [name, stored] of file.tensors) {
    const { shape } = stored;
    const rule = format?.splits?.find(
      ([pattern, names]) => among(name) && pattern.test(name) && shape[0] % names.length === 0,
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
      const whole = readTensor(file, part.whole);
      target.set(whole.subarray(part.index * target.length, (part.index + 1) * target.length));
    },
  };
}

function joined(file: TensorFile, format: Format, among: Among): TensorFile {
  const tensors = new Map(file.tensors);
  const wholes = new Map<string, readonly string[]>();
  for (const [parts, joint] of format?.joins ?? [])
    for (const name of file.tensors.keys()) {
      if (!name.includes(parts[0]) || !among(name)) continue;
      const names = parts.map((part) => name.replace(parts[0], part));
      const shapes = names.map((part) => tensors.get(part)?.shape);
      if (shapes.some((shape) => shape?.slice(1).join() !== shapes[0]!.slice(1).join())) continue;
      const [, ...rest] = shapes[0]!;
      const own = name.replace(parts[0], joint);
      names.forEach((part) => tensors.delete(part));
      tensors.set(own, { shape: [shapes.reduce((sum, shape) => sum + shape![0], 0), ...rest] });
      wholes.set(own, names);
    }
  return {
    tensors,
    readInto(name, target) {
      const parts = wholes.get(name);
      if (!parts) return file.readInto(name, target);
      let start = 0;
      for (const part of parts) {
        const size = numbersIn(file.tensors.get(part)!.shape);
        file.readInto(part, target.subarray(start, (start += size)) as typeof target);
      }
    },
  };
}
