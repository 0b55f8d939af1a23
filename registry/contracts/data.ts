// Contracts of data sets and transforms. Nothing here touches TensorFlow.js: both run in worker threads that load
// only their own files.
import type { RandomStream } from '../random.js';
import type { Task } from './tasks.js';

/** A dense map, row-major [height, width, channels]. */
export interface MapData {
  height: number;
  width: number;
  channels: number;
  data: Float32Array | Uint8Array | Int32Array;
}

export interface LabelMap extends MapData {
  /** Of its task. */
  kind: string;
}

export interface Sample {
  id: string;
  /** RGB, 0..255 as float until the pipeline normalises it. */
  image: MapData;
  labels: Record<string, LabelMap>;
}

export type Split = 'train' | 'val';

export interface DatasetInfo {
  /** For table captions: what this is, in a few words. */
  caption: string;
  /** Another one whenever a split, or what is in its files, is another. */
  digest: string;
  /** Labels that are not the benchmark's own, e.g. "normals derived from depth". */
  notes: string[];
  /** How many samples each split has. */
  counts: Record<Split, number>;
  /** The folder that was read. */
  root: string;
  /** Notes to the user before training, for example on files that changed. */
  warnings?: string[];
}

export interface Dataset {
  /** Every task there are labels for; a trial may use some of them. */
  readonly tasks: readonly Task[];
  /** How many samples each split will have, where that is known before there are files: of data sets that render. */
  readonly counts?: Readonly<Record<Split, number>>;
  /** Makes sure the files exist (generates or verifies them) and says what they are. */
  prepare(report: (done: number, total: number, what: string) => void): Promise<DatasetInfo>;
  ids(split: Split): Promise<readonly string[]>;
  /** Decoded, at the size it was stored. Only the labels of `tasks` are read. */
  load(id: string, tasks: readonly string[]): Promise<Sample>;
}

/** A whole input pipeline: what happens between the file and the network. */
export interface Transform {
  /**
   * Augmented and normalised; `random` belongs to (seed, epoch, sample).
   * @param into arrays of the right sizes, where the result may go: a pipeline that uses them saves a copy
   */
  train(sample: Sample, random: RandomStream, into?: Sample): Sample;
  /** The same without augmentation. */
  evaluate(sample: Sample, into?: Sample): Sample;
  /** Height and width of what comes out. */
  readonly size: readonly [number, number];
  /** How `evaluate` fits an image into `size`: stretched (also if absent), or centred with padding around it. */
  readonly fit?: 'stretch' | 'pad';
  /** Labels that `train` reads although they may be of no task of the trial; used where the data set has them. */
  readonly needs?: readonly string[];
}
