// A scope is how a component owns parameters without owning state. Components are plain functions of
// (scope, input); asking the scope for a parameter creates it on the first pass and returns its current
// value on every later one, whatever engine runs the pass. Names are dotted paths that equal the state-dict
// names of the reference implementation where there is one, and shapes keep PyTorch's order
// (linear [out,in], convolution [out,in,kh,kw]), so public checkpoints load by name without reshuffling.
import type { Rank, Scalar, Tensor, Tensor4D } from '../tf.js';
import type { RandomStream } from '../random.js';
import type { Adaptation } from './adaptation.js';
import type { Loss } from './learning.js';
import type { MemoryPolicy } from './memory.js';

/** Fills a new parameter; `random` is the parameter's own seeded stream. */
export type Initializer = (values: Float32Array, shape: readonly number[], random: RandomStream) => void;

/** A tensor that training changes without a gradient, such as BatchNorm's running statistics. */
export interface BufferHandle<R extends Rank> {
  readonly value: Tensor<R>;
  /** Whether training leaves it as it is (`train.freeze`): then a norm uses it in training, too, and `average` does nothing. */
  readonly frozen: boolean;
  /** Declares the value after this step: `momentum` parts of `observed`, the rest of the old value. */
  average(observed: Tensor<R>, momentum: number): void;
}

export interface Scope {
  /** Dotted name of this scope, '' at the root. */
  readonly path: string;
  /** True while gradients are wanted: batch statistics, dropout, auxiliary outputs. */
  readonly training: boolean;
  /** What may be kept for the backward pass. */
  readonly memory: MemoryPolicy;

  /** This scope under another memory policy. */
  withMemory(memory: MemoryPolicy): Scope;

  /** This scope with some of its parameters frozen or adapted. */
  withAdaptation(adaptation: Adaptation): Scope;

  /** The scope `name` below this one; dots are allowed. */
  at(name: string): Scope;

  /**
   * The parameter `name` of this scope, created with `init` when first asked for.
   * Throws if two different layers of one pass ask for the same name; see `shared`.
   */
  param<R extends Rank>(name: string, shape: number[], init: Initializer): Tensor<R>;

  /** A scope whose parameters may be used several times in a pass: weight sharing, said aloud. */
  shared(name: string): Scope;

  buffer<R extends Rank>(name: string, shape: number[], fill: number): BufferHandle<R>;

  /** Uniform [0,1) noise, drawn at each step from the stream (seed, epoch, step, path.name). */
  noise<R extends Rank>(name: string, shape: number[]): Tensor<R>;

  /**
   * Says that a statistic of this layer is taken over too few values to mean anything in training, such as the variance
   * of one number. A trial that would train so is refused.
   */
  degenerate(what: string, hint: string): void;

  /** Makes an inner feature available under its dotted name. It is computed only if it is asked for. */
  expose(name: string, feature: () => Tensor4D): void;

  /**
   * Adds an intermediate prediction of `task`. Ignored in evaluation.
   * @param loss what it is supervised with; the task's own loss if absent
   */
  predict(task: string, prediction: Tensor4D, loss?: Loss): void;

  /** Adds an auxiliary loss term `weight * value`, outside the loss-weighting scheme. Ignored in evaluation. */
  penalty(name: string, value: Scalar, weight: number): void;
}
