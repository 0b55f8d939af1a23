// Low-rank updates (train.lora) in files of weights: what leaves a trial has them in the weights that they belong to.
import { adapterNames, isAdapter } from '../../../registry/contracts/adaptation.js';
import type { LoraConfig } from '../../config/index.js';
import type { Shapes } from './fit.js';
import { readTensor, type TensorFile } from '../../support/tensor-file.js';

export const withoutAdapters = (shapes: Shapes): Shapes =>
  new Map([...shapes].filter(([name]) => !isAdapter(name)));

/**
 * The weights of a trial as a network without updates would have them: weight + alpha / rank * b a.
 * @param file with the updates of its own, if there are any
 */
export function mergedAdapters<T extends TensorFile>(file: T, lora: LoraConfig | null): TensorFile {
  if (!lora) return file;
  return {
    tensors: new Map([...file.tensors].filter(([name]) => !isAdapter(name))),
    readInto(name, target) {
      file.readInto(name, target);
      const names = adapterNames(name);
      if (!file.tensors.has(names.a)) return;
      const [rank, inputs] = file.tensors.get(names.a)!.shape;
      const [a, b] = [readTensor(file, names.a), readTensor(file, names.b)];
      const scale = lora.alpha / rank;
      for (let row = 0; row < b.length / rank; row++)
        for (let column = 0; column < inputs; column++) {
          let sum = 0;
          for (let r = 0; r < rank; r++) sum += b[row * rank + r] * a[r * inputs + column];
          target[row * inputs + column] += scale * sum;
        }
    },
  };
}
