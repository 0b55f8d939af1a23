// The shapes that pass through a training step: images and labels of one micro-batch.
import { labelChannels, type Task } from '../../registry/contracts/tasks.js';

export interface StepShape {
  batch: number;
  /** Height and width of the network's input. */
  size: readonly [number, number];
}

/** Shape and type of a task's label in a batch. */
export function labelSpec(task: Task, { batch, size: [height, width] }: StepShape) {
  return task.kind === 'classes'
    ? ({ dtype: 'int32', shape: [batch, height, width] } as const)
    : ({ dtype: 'float32', shape: [batch, height, width, labelChannels(task.kind)] } as const);
}
