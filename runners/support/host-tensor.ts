// A typed array with a shape: what files contain and what programs read and write.

export type HostArray = Float32Array | Int32Array;

export interface HostTensor {
  readonly data: HostArray;
  readonly dtype: 'float32' | 'int32';
  readonly shape: readonly number[];
}

/** How many numbers a tensor of this shape has. */
export const numbersIn = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);
