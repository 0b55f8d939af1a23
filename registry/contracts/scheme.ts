// Loss weighting: turns the tasks' losses, and for some schemes their gradients, into one objective.
//
// A scheme has a recorded and a host part. In the recorded graph, `project` and `combine` define what is
// differentiated; numbers that change between steps (`weights`, `scalars`) are inputs of that graph. Between two
// steps, on the host, the hooks read the results and set the numbers for the next step. A scheme whose needs include
// `gradients` also combines the tasks' gradients into one at every step.
import type { Scalar } from '../tf.js';
import type { Scope } from './scope.js';
import type { RandomStream } from '../random.js';

/** By task. */
export type PerTask<T> = Record<string, T>;

/** A task's loss inside the graph. */
export interface TaskLoss {
  /** What `project` made of the loss. */
  value: Scalar;
  /** 1, or 0 if no pixel of the batch was valid; then the loss is 0 and has no gradient. */
  present: Scalar;
}

export interface SchemeInputs {
  weights: PerTask<Scalar>;
  scalars: Record<string, Scalar>;
}

/** What a scheme asks of training beyond the losses of each step. */
export interface SchemeNeeds {
  /** Evaluations while it trains: the scheme depends on `evaluated`. */
  readonly evaluation?: boolean;
  /** The losses of the same batch after the update, passed to `stepEnd`; they cost another forward pass. */
  readonly again?: boolean;
  /** The tasks' gradients, which the rule makes one of; without it they are summed. */
  readonly gradients?: GradientRule;
  /** To be the only scheme, and why: it cannot be composed with one that weighs losses or combines gradients. */
  readonly alone?: string;
}

export interface Scheme {
  readonly needs?: SchemeNeeds;

  /** Puts a task loss on the scheme's scale (log projection, identity). */
  project(loss: Scalar): Scalar;
  /**
   * The objective from projected losses: the terms of the tasks, whose sum is minimised, or a single number where
   * it is not a sum over tasks. Called for the final predictions and for each position of intermediate ones.
   */
  combine(scope: Scope, losses: PerTask<TaskLoss>, inputs: SchemeInputs): PerTask<Scalar> | Scalar;
  /** Weights for the coming step. */
  weights(): PerTask<number>;
  /** Further numbers for the coming step; the names are always the same. */
  scalars?(): Record<string, number>;
  /** What each projected loss' gradient was multiplied by, where `combine` decides that from the losses of the step. */
  effective?(raw: PerTask<number>): PerTask<number>;

  stepBegin?(step: StepInfo): void;
  stepEnd?(step: StepReport): void;
  /** At the end of each epoch with every task's mean loss over the epoch's valid steps. */
  epochEnd?(means: EpochMeans): void;
  /** After an evaluation with the primary metric of every task that has one: a task without a valid pixel is absent. */
  evaluated?(scores: PerTask<TaskScore>): void;

  /** Everything that `restore` needs to go on exactly: plain JSON, and Float32Arrays for what is large. */
  state(): unknown;
  restore(state: unknown): void;
}

export interface StepInfo {
  /** Epochs done, from 0. */
  epoch: number;
  /** Steps done over the whole run, from 0. */
  step: number;
  /** Belongs to (seed, step): the same numbers if the step is done again. */
  random: RandomStream;
}

export interface StepReport {
  epoch: number;
  step: number;
  /** The learning rate that the step had. */
  rate: number;
  /** Raw losses before the update; absent for a task without a valid pixel. */
  raw: PerTask<number>;
  /** The same on the scheme's scale. */
  projected: PerTask<number>;
  /** Raw losses of the same batch after the update, for schemes that look again. */
  again?: PerTask<number>;
}

export interface EpochMeans {
  epoch: number;
  /** Mean of the raw loss; absent for a task without a valid step. */
  raw: PerTask<number>;
  /** Mean of the projected loss. */
  projected: PerTask<number>;
}

export interface TaskScore {
  value: number;
  unit: string;
  better: 'higher' | 'lower';
}

/**
 * Whose gradients are compared:
 * - `representation`: what the decoders read of the backbone, summed over the batch. One backward pass through the
 *   decoders for each task, one through the backbone.
 * - `backbone`: the backbone's parameters. One backward pass through everything for each task.
 * - `all`: every parameter that at least two tasks reach; with cross-task interaction that includes the decoders.
 * - `every`: every parameter, also those that only one task reaches.
 */
export type SharedSet = 'representation' | 'backbone' | 'all' | 'every';

export interface GradientRule {
  readonly shared: SharedSet;
  /**
   * What parameters outside the shared set get: the plain sum of the tasks' gradients, or the sum with the same
   * coefficients as inside.
   */
  readonly exclusive: 'sum' | 'weighted';
  /**
   * Independent samples that a step has to have: the batch is divided into at least as many micro-batches, and
   * `combine` is called for each. 1 by default, the whole batch.
   */
  readonly samples?: number;
  /**
   * Virtual steps of gradient descent on a sample: training takes them, notes the terms that they lead to, and goes back
   * before it computes the sample's gradients. The number of micro-batches is then a multiple of `samples`.
   */
  readonly ahead?: {
    readonly steps: number;
    readonly rate: number;
    /** What is descended: the terms times these. */
    weights(): PerTask<number>;
    /** Whether the coming sample wants them. */
    wanted(): boolean;
  };
  /**
   * Whether `combine` looks at products of gradients (`gram`) only, and returns coefficients. It is given no vectors then,
   * and gradients stay on a device that has them.
   */
  readonly onlyProducts?: boolean;
  /** Called with the gradients of the terms of those tasks that had a valid pixel; at least one. */
  combine(gradients: TaskGradients, step: StepInfo): Combination;
}

export interface TaskGradients {
  readonly tasks: readonly string[];
  /** Each task's gradient over the shared set, as one vector; empty for `onlyProducts`. Valid during the call only. */
  readonly vectors: readonly Float32Array[];
  /** The parameters in these vectors; one entry for the representation. */
  readonly groups: readonly { name: string; start: number; end: number }[];
  /** Inner products of the vectors, accumulated in double precision, or in float32 on a device. */
  readonly gram: readonly (readonly number[])[];
  /** Raw losses, and the terms whose gradients these are. */
  readonly raw: readonly number[];
  readonly terms: readonly number[];
  /** The terms after the virtual steps, where the rule asked for some. */
  readonly ahead?: readonly number[];
}

export interface Combination {
  /** Of each task's gradient, in the order of the tasks. */
  coefficients: readonly number[];
  /** The same outside the shared set where they differ and `exclusive` is `weighted`. */
  outside?: readonly number[];
  /** The combined gradient itself, where it is not the sum of coefficient times gradient. */
  combined?: Float32Array;
}
