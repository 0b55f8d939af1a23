// The shapes that pass through a training step: images and labels of one micro-batch.
import type { Task } from '../../registry/contracts/tasks.js';
import { kindOf } from '../../registry/kinds.js';

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
