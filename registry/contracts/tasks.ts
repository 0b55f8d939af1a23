// A task is what the network predicts at every pixel. Its kind is a component of its own (contracts/task-kind.ts), which
// says how a label is stored and moved and how a prediction is read. Data sets declare the tasks they have labels for,
// and the runner asks for nothing else.

/** In every label map of every kind this value means "nothing is known about this pixel". */
export const IGNORE = 255;

/** How often each class occurs among the labelled pixels of a training split. */
export interface ClassCounts {
  /** Pixels of each class. */
  readonly pixels: readonly number[];
  /** Labelled pixels of all images that have a pixel of the class. */
  readonly inImages: readonly number[];
}

export interface Task {
  readonly name: string;
  /** The name of a component of kind `task`: `classes`, `depth`, `normals`, `binary`, ... */
  readonly kind: string;
  /** Channels of the raw prediction: the number of classes, 1, 3 or 1; 2 where the loss of a binary task asks for it. */
  readonly channels: number;
  /** Class names, in label order, for `classes`. */
  readonly classes?: readonly string[];
  /** What a value is measured in, where the kind leaves it open (`regression`). */
  readonly unit?: string;
  /** Numbers of a label at each pixel, where the kind leaves it open; `channels` if absent. */
  readonly values?: number;
  /** Of the training split, for losses that weigh classes; see `Loss.classWeights`. Training alone knows the numbers. */
  readonly counts?: ClassCounts;
}
