// Contracts of losses, optimizers, schedules and metrics.
import type { Scalar, Tensor, Tensor1D, Tensor4D } from '../tf.js';
import type { LabelMap, MapData } from './data.js';
import type { Task } from './tasks.js';

export interface LossValue {
  /** The loss; 0 with a zero gradient if no pixel is valid. */
  value: Scalar;
  /** How many pixels counted. With none, the step is left out of the task's running mean. */
  valid: Scalar;
}

export interface Loss {
  /** Channels of the raw prediction it reads, if not `task.channels`. */
  channels?(task: Task): number;
  /**
   * What each class weighs by `task.counts`, or undefined if the loss has no such weights. Where it has, training counts
   * the classes of its split first.
   */
  classWeights?(task: Task): readonly number[] | undefined;
  /**
   * @param prediction raw prediction at the label's resolution, [B,H,W,channels]
   * @param label see the task's kind for its type and shape; IGNORE marks unknown pixels
   */
  forward(prediction: Tensor4D, label: Tensor, task: Task): LossValue;
}

/** Parameters with a rate or a decay of their own. */
export interface ParameterGroup {
  /** Names; * stands for any characters. */
  readonly parameters: string;
  /** Factor on the learning rate. */
  readonly rate?: number;
  readonly weight_decay?: number;
  /** Factor on the rate from each block of the backbone to the one before it. */
  readonly layer_decay?: number;
}

/** Recorded on flat vectors: the runner packs parameters as it likes. */
export interface Optimizer {
  /** The learning rate before the schedule. */
  readonly rate: number;
  /** The first that names a parameter counts for it. */
  readonly groups?: readonly ParameterGroup[];
  /** Names of the state vectors kept for each parameter, all starting at zero. */
  readonly slots: readonly string[];
  /**
   * Numbers that change from step to step and from group to group, fed to `update`.
   * @param step counts from 1
   * @param decay weight decay of the group; the general one if absent
   */
  scalars(step: number, rate: number, decay?: number): Record<string, number>;
  update(
    parameter: Tensor1D,
    gradient: Tensor1D,
    slots: Record<string, Tensor1D>,
    scalars: Record<string, Scalar>,
  ): { parameter: Tensor1D; slots: Record<string, Tensor1D> };
}

export interface Progress {
  /** Epochs done, from 0. */
  epoch: number;
  epochs: number;
  /** Steps done over the whole run, from 0. */
  step: number;
  stepsPerEpoch: number;
}

export interface Schedule {
  /** Factor on the base learning rate. */
  factor(progress: Progress): number;
}

export interface MetricInfo {
  readonly name: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  /** The number that tables and delta-m use; one per metric component. */
  readonly primary?: boolean;
  /** Another value of the metric that tables show beside this one, where the ceiling is less than 100. */
  readonly beside?: string;
  /** The most that the number can come to on a split, as a value of the metric, and why; {name} stands for a value. */
  readonly ceiling?: { readonly value: string; readonly because: string };
}

/** What stands for a value where nothing was counted, and why: "no pixel of the split has a depth". */
export interface Absent {
  readonly absent: string;
}

/**
 * Values of an evaluation, by `task.metric`. Where there is none it is null, in memory as in JSON: never 0, which
 * would be the best of all errors, and never NaN, which JSON cannot carry.
 */
export type MetricValues = Record<string, number | null>;

/** An evaluation as it is kept. */
export interface Measured {
  metrics: MetricValues;
  /** Why values are null. */
  absent?: Record<string, string>;
}

export interface Metric {
  readonly values: readonly MetricInfo[];
  /**
   * Starts a new evaluation of `task`.
   * @param threads worker threads that it may start; with 1, the default, everything is counted in the caller's
   */
  start(task: Task, threads?: number): MetricRun;
  /** Ends threads, and what they have not done; `start` may be called again. */
  close?(): Promise<void>;
}

export interface MetricRun {
  /**
   * One image: decoded prediction (class indices, metres, unit normals, probability) against its label. The maps are valid
   * until this returns: what is worked on later is to be copied. A promise resolves when the next image may come, and a
   * metric that works on several images at a time lets it wait where memory would grow otherwise.
   * @param id of the image, for messages
   */
  update(prediction: MapData, label: LabelMap, id?: string): void | Promise<void>;
  /** Every value, or why there is none; a number that is not finite counts as none. */
  compute(): Scored | Promise<Scored>;
}

/** Values of a metric by their names. */
export type Scored = Record<string, number | Absent>;
