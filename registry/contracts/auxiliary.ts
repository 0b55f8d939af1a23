// Further terms of the objective, by name and weight: what an experiment file lists under `auxiliary`.
import type { Scalar, Tensor, Tensor4D } from '../tf.js';
import type { Scope } from './scope.js';
import type { Task } from './tasks.js';

/** What an auxiliary loss may look at. Maps are [batch, height, width, channels]. */
export interface AuxiliaryContext {
  /** For parameters and buffers of its own, which training has and the finished network does not. */
  readonly scope: Scope;
  readonly tasks: readonly Task[];
  /** Height and width of the network's input. */
  readonly size: readonly [number, number];
  /** Inner features and predictions whose exposed name fits the pattern, * standing for any characters. */
  features(pattern: string): ReadonlyMap<string, Tensor4D>;
  /** The network's parameters, likewise. */
  parameters(pattern: string): ReadonlyMap<string, Tensor>;
  /**
   * The teacher's feature of this name, for the same images; no gradient flows into it.
   * @throws MtcpError if the teacher has none
   */
  teacher(name: string): Tensor4D;
  /**
   * The task's label at this size, float32, IGNORE (registry/contracts/tasks.ts) where nothing is known: each cell has
   * the label of the pixel at its centre.
   */
  label(task: string, size: readonly [height: number, width: number]): Tensor4D;
  /** The task's own loss of another prediction of it, at any resolution. */
  loss(task: string, prediction: Tensor4D): Scalar;
}

export interface AuxiliaryLoss {
  /** Patterns of the features that it asks the teacher for. Without them it takes no teacher. */
  readonly taught?: readonly string[];
  forward(context: AuxiliaryContext): Scalar;
}
