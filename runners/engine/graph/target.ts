// Properties of the device that a graph is recorded for, as far as they change how operations are lowered.

export interface Target {
  /** Operators beyond ONNX's own that onnxruntime has for its CPU and CUDA: matrix products that transpose and scale. */
  readonly fusedMatMul: boolean;
  /** The operator of that name; otherwise it is composed. */
  readonly logSoftmax: boolean;
}

const EVERYTHING: Target = { fusedMatMul: true, logSoftmax: true };

/** By onnxruntime's execution provider, and XLA. What one lacks would run on the CPU, with copies there and back. */
export const TARGETS = {
  cpu: EVERYTHING,
  cuda: EVERYTHING,
  webgpu: { fusedMatMul: false, logSoftmax: false },
  xla: EVERYTHING,
} as const satisfies Record<string, Target>;
