// The shapes that pass through a training step: images and labels of one micro-batch.
import type { Task } from '../../registry/contracts/tasks.js';
import { kindOf } from '../../registry/kinds.js';
import type { IsBatched } from '../engine/engine.js';

export interface StepShape {
  batch: number;
  /** Height and width of the network's input. */
  size: readonly [number, number];
}

/** Shape and type of a task's label in a batch. */
export function labelSpec(task: Task, { batch, size: [height, width] }: StepShape) {
  const kind = kindOf(task);
  return kind.batch === 'indices'
    ? ({ dtype: 'int32', shape: [batch, height, width] } as const)
    : ({ dtype: 'float32', shape: [batch, height, width, kind.labelChannels(task)] } as const);
}

/** Everything of a step that may hold samples: the batch, random numbers, and what programs hand to each other. */
const OF_SAMPLES = ['label', 'noise', 'teacher', 'carried', 'map', 'upstream', 'prediction'];

/** Which arrays of programs for such a batch hold its samples, along their first axis. */
export const isBatchedBy =
  (batch: number): IsBatched =>
  (name, shape) =>
    shape[0] === batch && (name === 'image' || OF_SAMPLES.includes(name.split('/', 1)[0]));
