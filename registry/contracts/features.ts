// What flows through a model. Every tensor is NHWC float32: [batch, height, width, channels].
//
//   backbone      image -> shared pyramid (or one pyramid per task)
//   decoder       shared pyramid -> a pyramid per task, kept as `stages`
//   fusion        the levels of each task's pyramid -> one map
//   interaction   tasks exchange information
//   refinement    trace-back: what the interaction found goes back through `stages`
//   head          a task's pyramid -> raw prediction
//
// Each block but the first and the last is a function Features -> Features, so a system is a chain of
// blocks and a new one may read whatever came before it (an interaction may look at `shared` for skip
// connections, a refinement at `stages`).
import type { Tensor3D, Tensor4D } from '../tf.js';

export interface FeatureMap {
  /** [batch, height, width, channels] */
  readonly data: Tensor4D;
  /** Input pixels per feature cell along each axis. */
  readonly stride: number;
}

/** Feature maps of one thing at several scales, fine to coarse. */
export type Pyramid = readonly FeatureMap[];

/** A pyramid for every task of the trial, in the order of the task set. */
export type TaskPyramids = Readonly<Record<string, Pyramid>>;

/**
 * What a backbone shows of its inside to the blocks that know it, by name; one tensor for each level, fine to coarse.
 * The backbone's file says what the names mean, the block's file which it asks for.
 */
export type Taps = ReadonlyMap<string, readonly Tensor4D[]>;

/** Of a backbone that shows nothing. */
export const NO_TAPS: Taps = new Map();

export interface Features {
  /** The normalised input image, stride 1. */
  readonly image: FeatureMap;
  /** The backbone's pyramid; empty if the backbone has one encoder per task. */
  readonly shared: Pyramid;
  /** What the backbone tells beside its pyramids. */
  readonly taps: Taps;
  /** What the decoder produced, kept for trace-back; equals `tasks` right after the decoder. */
  readonly stages: TaskPyramids;
  /** The current features of each task. */
  readonly tasks: TaskPyramids;
}

/** Token view of a map: [batch, height * width, channels]. */
export type Tokens = Tensor3D;
