// A task is what the network predicts at every pixel. Its kind fixes how a prediction is read and how a
// label is stored; data sets declare the tasks they have labels for, and the runner asks for nothing else.

/**
 * Labels in memory are [height, width, channels]:
 * - `classes`: one of `channels` classes; one uint8
 * - `depth`: metres along the optical axis; one float32
 * - `normals`: unit vector in camera coordinates (x right, y down, z forward, so what faces the camera has
 *   z < 0); three float32
 * - `binary`: 0 or 1; one uint8
 */
export const TASK_KINDS = ['classes', 'depth', 'normals', 'binary'] as const;

export type TaskKind = (typeof TASK_KINDS)[number];

/** In every label map of every kind this value means "nothing is known about this pixel". */
export const IGNORE = 255;

export interface Task {
  readonly name: string;
  readonly kind: TaskKind;
  /** Channels of the raw prediction: the number of classes, 1, 3 or 1; 2 where the loss of a binary task asks for it. */
  readonly channels: number;
  /** Class names, in label order, for `classes`. */
  readonly classes?: readonly string[];
}

/** Channels of a label map of this kind as it is stored in memory. */
export function labelChannels(kind: TaskKind): number {
  return kind === 'normals' ? 3 : 1;
}
