// Properties of the device that a graph is recorded for, as far as they change how operations are lowered.

export interface Target {
  /** Operators beyond ONNX's own that onnxruntime has for its CPU and CUDA: matrix products that transpose and scale. */
  readonly fusedMatMul: boolean;
  /** The operator of that name; otherwise it is composed. */
  readonly logSoftmax: boolean;
  /**
   * Whether a compiler fuses operators and chooses how to convolve. Then an operation is recorded as it is. Otherwise
   * kernels choose what an interpreter of operators runs fastest on a CPU: Winograd's filtering, products tap by tap,
   * blocks of banded matrices, sums in portions.
   */
  readonly compiles: boolean;
  /**
   * Whether large inner values are held whole: no tiles, and nothing is computed a second time to save memory. A trial
   * with `memory: { recompute: always }` is recorded without.
   */
  readonly holdsWhole: boolean;
}

const EVERYTHING = { fusedMatMul: true, logSoftmax: true } as const;
const INTERPRETED = { compiles: false, holdsWhole: false } as const;

/** By onnxruntime's execution provider, and XLA. What one lacks would run on the CPU, with copies there and back. */
export const TARGETS = {
  cpu: { ...EVERYTHING, ...INTERPRETED },
  cuda: { ...EVERYTHING, ...INTERPRETED },
  webgpu: { fusedMatMul: false, logSoftmax: false, ...INTERPRETED },
  xla: { ...EVERYTHING, compiles: true, holdsWhole: true },
} as const satisfies Record<string, Target>;

/**
 * The target for a trial that asks for values to be computed a second time.
 * @param recomputedFrom bytes of the smallest value that is not kept; see CompileOptions
 */
export function thrifty(target: Target, recomputedFrom: number): Target {
  return target.holdsWhole && recomputedFrom <= 1 ? { ...target, holdsWhole: false } : target;
}
