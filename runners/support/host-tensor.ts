// Numbers in this process's memory, with a type and a shape: what files hold and what programs are bound to.

export type HostArray = Float32Array | Int32Array;

export interface HostTensor {
  readonly data: HostArray;
  readonly dtype: 'float32' | 'int32';
  readonly shape: readonly number[];
}
