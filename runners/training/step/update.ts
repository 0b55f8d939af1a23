// The second half of a training step: computes new weights and a new optimizer state from weights, gradients and state.
// All of them are vectors with the same layout, ordered by parameter group. What an optimizer does with a number depends
// on no other number, so its update is recorded for vectors of any length; layers and their shapes do not matter.
//
// An engine whose arrays are in this process's memory goes through the vectors once (OnePassUpdate). Others, and
// optimizers of operations that such a pass does not have, update one block of the vectors after the other
// (PiecewiseUpdate).
import type * as tf from '../../../registry/tf.js';
import type { Optimizer } from '../../../registry/contracts/learning.js';
import type { ProgramStats, Tracer } from '../../engine/engine.js';
import { PartError } from '../../model/part-error.js';
import { requireUpdate } from '../../model/returned.js';
import type { Arena } from './arena.js';
import type { GroupedParameters } from '../../model/groups.js';

/** The vectors that an update reads; all but the gradient are written, too. */
export interface UpdateVectors {
  parameter: Arena;
  gradient: Arena;
  slots: Record<string, Arena>;
}

export interface Update {
  /** It owns them. */
  readonly vectors: UpdateVectors;
  readonly stats: ProgramStats;
  /** Whether the engine's runtime runs it, as a program like others. */
  readonly isProgram: boolean;
  /**
   * @param step counts from 1
   * @param clip largest norm of the gradient; null leaves it as it is
   * @returns the norm of the gradient before clipping, if it was needed
   */
  run(step: number, rate: number, clip: number | null): Promise<number | undefined>;
  close(): void;
}

/** Names of an update's vectors and scalars, as `traceUpdate` asks for them. */
export const slotName = (slot: string) => `slot/${slot}`;
export const scalarName = (name: string) => `scalar/${name}`;
const CLIP = scalarName('clip');

export const vectorNames = ({ slots }: Optimizer): string[] => [
  'parameter',
  'gradient',
  ...slots.map(slotName),
];

export const scalarNames = (optimizer: Optimizer, clipped: boolean): string[] => [
  ...Object.keys(optimizer.scalars(1, 1)).map(scalarName),
  ...(clipped ? [CLIP] : []),
];

/** What the optimizer's scalars are for a parameter group in a step, by name. */
export function scalarsOf(
  optimizer: Optimizer,
  { group }: GroupedParameters,
  { step, rate, clip, norm }: { step: number; rate: number; clip: number | null; norm: number | undefined },
): Record<string, number> {
  const own = optimizer.scalars(step, rate * (group?.rate ?? 1), group?.weight_decay);
  const named = Object.fromEntries(Object.entries(own).map(([name, value]) => [scalarName(name), value]));
  return norm === undefined ? named : { ...named, [CLIP]: Math.min(1, clip! / (norm + 1e-6)) };
}

/** Records the update of `length` parameters by their gradients; returns what replaces each vector, by name. */
export function traceUpdate(
  tracer: Tracer,
  optimizer: Optimizer,
  length: number,
  clipped: boolean,
): tf.NamedTensorMap {
  const vector = (name: string) => tracer.input(name, 'float32', [length]) as tf.Tensor1D;
  const scalar = (name: string) => tracer.input(name, 'float32', []) as tf.Scalar;
  const gradient = clipped ? vector('gradient').mul<tf.Tensor1D>(scalar(CLIP)) : vector('gradient');
  const slots = Object.fromEntries(optimizer.slots.map((slot) => [slot, vector(slotName(slot))]));
  const scalars = Object.fromEntries(
    Object.keys(optimizer.scalars(1, 1)).map((name) => [name, scalar(scalarName(name))]),
  );
  const made = updated(optimizer, length, vector('parameter'), gradient, slots, scalars);
  const outputs: tf.NamedTensorMap = { parameter: made.parameter };
  for (const [slot, value] of Object.entries(made.slots)) outputs[slotName(slot)] = value;
  return outputs;
}

/** What the optimizer makes of `length` numbers; faults in what it returns are reported as its own. */
export function updated(
  optimizer: Optimizer,
  length: number,
  parameter: tf.Tensor1D,
  gradient: tf.Tensor1D,
  slots: Record<string, tf.Tensor1D>,
  scalars: Record<string, tf.Scalar>,
): ReturnType<Optimizer['update']> {
  return PartError.wrap(
    ['optimizer'],
    'the optimizer cannot update the weights',
    '',
    () => optimizer.update(parameter, gradient, slots, scalars),
    (built) => requireUpdate(built, length, optimizer.slots),
  );
}
