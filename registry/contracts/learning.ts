// What turns predictions into an objective, weights into better weights, and predictions into numbers.
import type { Scalar, Tensor, Tensor1D, Tensor4D } from '../tf.js';
import type { LabelMap, MapData } from './data.js';
import type { Task } from './tasks.js';

export type * from './scheme.js';

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
   * @param prediction raw prediction at the label's resolution, [B,H,W,channels]
   * @param label see TaskKind for its type and shape; IGNORE marks unknown pixels
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
}

export interface Metric {
  readonly values: readonly MetricInfo[];
  /** Starts a new evaluation of `task`. */
  start(task: Task): MetricRun;
}

export interface MetricRun {
  /** One image: decoded prediction (class indices, metres, unit normals, probability) against its label. */
  update(prediction: MapData, label: LabelMap): void;
  compute(): Record<string, number>;
}
