// Contract of kinds of tasks: everything that the loader, training, evaluation, reports, predictions and exports have
// to know about a label and about a prediction of it. They ask the kind and never compare its name.
//
// The life of a label: read by the data set -> `move` (values change with the picture) -> warped and resized by the
// pipeline -> `settle` -> `mark` (unknown pixels become IGNORE) -> loss, or the metric. The life of a prediction:
// the head's raw map -> `decode` -> resized by `resampling` -> the metric, a picture, a file.
//
// Kinds run in the threads that load data too, so their files must not import TensorFlow.js as values. `decode` and the
// like get by with the methods of tensors.
import type { Tensor, Tensor4D } from '../tf.js';
import type { Slot } from '../options.js';
import type { LabelMap, MapData } from './data.js';
import type { Task } from './tasks.js';

/** How an augmentation moves a picture. */
export interface Motion {
  /** Left and right are exchanged, before anything else. */
  readonly flip: boolean;
  /** Counter-clockwise, about the centre. */
  readonly degrees: number;
  /** Above 1, things come nearer. */
  readonly scale: number;
}

export type Colour = readonly [red: number, green: number, blue: number];

/** What the ends of a colour scale stand for. */
export type Range = readonly [low: number, high: number];

/** What the colours of a task's pictures mean. */
export type Legend =
  | { kind: 'swatches'; entries: { name: string; colour: string }[] }
  /** Colours from low to high. */
  | { kind: 'scale'; low: string; high: string; colours: string[] };

/** Collects what the constant predictor needs to know of a split. */
export interface Tally {
  /** A label whose unknown pixels are IGNORE. */
  add(label: LabelMap): void;
  /** What the predictor says at every pixel, a number for each channel; null if no pixel was known. */
  constant(): readonly number[] | null;
}

export interface TaskKind {
  /** What a decoded prediction is: 'metres along the optical axis'. Files and exported models say so. */
  readonly meaning: string;
  /** In a batch: `indices` are int32 [B,H,W], `values` float32 [B,H,W,channels]. */
  readonly batch: 'indices' | 'values';
  /** Numbers of a label at each pixel, in memory. */
  labelChannels(task: Pick<Task, 'channels' | 'values'>): number;

  /** Whether labels may be interpolated, where a pipeline or a data set wants to; otherwise the nearest pixel is taken. */
  readonly smooth: boolean;
  /** What stored labels have where nothing is known, and what is brought in from outside the picture. */
  readonly outside: number;
  /**
   * The values of a label after the picture has moved, pixel by pixel; their positions change, too. The given ones are
   * left as they are.
   * @param into where the result may go, which may be `data` itself; here and in the two that follow
   */
  move?(data: MapData['data'], motion: Motion, channels: number, into?: MapData['data']): MapData['data'];
  /** What interpolation has to be followed by, such as unit length. */
  settle?(data: MapData['data'], into?: MapData['data']): MapData['data'];
  /** IGNORE in every channel of unknown pixels; the given values are left as they are. Absent: `outside` is IGNORE. */
  mark?(data: MapData['data'], channels: number, into?: MapData['data']): MapData['data'];
  /** A value that would be taken for another one, or that means nothing: its index and what is wrong with it. */
  fault?(label: LabelMap): { at: number; what: string } | undefined;

  /** Raw prediction [B,H,W,task.channels] to what metrics read. [B,H,W] or [B,H,W,labelChannels] */
  decode(raw: Tensor4D, task: Task): Tensor;
  /** How decoded predictions are resized; `settle` follows in predictions for files. */
  readonly resampling: 'nearest' | 'linear';
  /**
   * Bytes that evaluation passes predictions through where it follows code that saves them as images: the whole part of
   * (value + shift) * scale.
   */
  readonly bytes?: { readonly shift: number; readonly scale: number };
  /** Whole numbers from 0 to 65535 for PNG files, and what they are. */
  readonly sixteen: { readonly values: string; of(value: number): number };

  /** The ends of the colour scale for these maps, which pictures of a task share; 0 to 1 if absent. */
  range?(maps: readonly MapData[]): Range;
  /** The colour of the known pixel whose first value is data[at]. */
  colour(data: MapData['data'], at: number, range: Range, channels: number): Colour;
  /** @param maps what the legend is for */
  legend(task: Task, maps: readonly MapData[], range: Range): Legend;

  /** The best constant for the usual metric. */
  tally(task: Task): Tally;
  /** What is usual where an experiment has no reason for another choice. */
  readonly usual: { readonly head: Slot; readonly loss: Slot; readonly metric: Slot };

  /** A loss that cuts what is measured into classes. Without it, blocks that tell regions apart refuse the kind. */
  readonly regions?: Slot;
  /**
   * How alike two labels are: 1 if they are the same, 0 if they have nothing in common. Maps broadcast, channels last.
   * Without it, losses that compare positions by their labels refuse the kind.
   */
  likeness?(a: Tensor, b: Tensor): Tensor;
  /**
   * Distance of a raw prediction to a teacher's, a mean over positions. Without it, distillation of predictions refuses
   * the kind.
   * @param temperature softens distributions, where there are some
   */
  distance?(own: Tensor4D, taught: Tensor4D, temperature: number): Tensor;
}
