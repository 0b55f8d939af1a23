// A component's entry in the catalog: its kind, the members that its kind requires, and what it announced.
import type { AuxiliaryLoss } from './contracts/auxiliary.js';
import type { Backbone, Block, Head } from './contracts/blocks.js';
import type { CheckpointFormat } from './contracts/checkpoints.js';
import type { Dataset, Transform } from './contracts/data.js';
import type { Launcher } from './contracts/launching.js';
import type { Loss, Metric, Optimizer, Schedule } from './contracts/learning.js';
import type { Scheme } from './contracts/scheme.js';
import type { TaskKind } from './contracts/task-kind.js';
import type { Tracker } from './contracts/tracking.js';
import type { OptionsSchema } from './options.js';

/** What each kind of component must be able to do. */
export interface Contracts {
  backbone: Backbone;
  decoder: Block;
  fusion: Block;
  interaction: Block;
  refinement: Block;
  head: Head;
  loss: Loss;
  auxiliary: AuxiliaryLoss;
  scheme: Scheme;
  metric: Metric;
  task: TaskKind;
  dataset: Dataset;
  transform: Transform;
  optimizer: Optimizer;
  schedule: Schedule;
  tracker: Tracker;
  launcher: Launcher;
}

export type Kind = keyof Contracts;

/** One line for each kind, as shown by `mtcp list`. */
export const KINDS: Readonly<Record<Kind, string>> = {
  backbone: 'image to a shared feature pyramid, or one pyramid per task',
  decoder: 'shared pyramid to a pyramid per task',
  fusion: "merges the levels of each task's pyramid into one map",
  interaction: 'lets tasks exchange information',
  refinement: 'traces cross-task features back through the decoder stages',
  head: "a task's features to its raw prediction",
  loss: 'prediction and label to a number',
  auxiliary: 'a further term of the objective: distillation, regularisation, deep supervision',
  scheme: 'task losses to one objective: loss weighting',
  metric: 'scores predictions over a split',
  task: 'a kind of task: labels, their geometry, predictions, pictures',
  dataset: 'samples with labels for one or more tasks',
  transform: 'input pipeline: augmentation, resizing, normalisation',
  optimizer: 'gradients to better weights',
  schedule: 'the learning rate over time',
  tracker: 'shows runs elsewhere, such as on a tracking server',
  launcher: 'trains trials here, or as jobs of a cluster',
};

export interface ComponentMeta<K extends Kind = Kind> {
  kind: K;
  /** What a YAML file writes after `type:`. */
  name: string;
  /** One sentence. */
  summary: string;
  /** Paper, equation or reference file. */
  source?: string;
  /**
   * The same for a bibliography: one or more BibTeX entries. Those of the components of mtcp are in
   * modules/references.bib.
   */
  cite?: string;
  /**
   * For a head, loss or metric: the kinds of task that it supports; all by default.
   * An empty list means auxiliary predictions only.
   */
  tasks?: readonly string[];
  /** Draft-07 schema of the options, each property with a description: see `defineOptions`. Absent: it has none. */
  options?: OptionsSchema;
  /** Whether a slot that has all of the required options and no `type` means this component. */
  bare?: boolean;
  /** Public checkpoints that fit the component. */
  checkpoint?: CheckpointFormat;
  /**
   * For a backbone around another one, whose checkpoints then fit: the option that names it, and which parameters are its
   * own and why such files lack them.
   */
  encodes?: { option: string; own?: readonly [pattern: RegExp, reason: string] };
  /** The file that announces it: `import.meta.url`. A plugin may leave it out. */
  file?: string;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Constructor<T> = new (...args: any[]) => T;

export interface ComponentEntry<K extends Kind = Kind> extends ComponentMeta<K> {
  options: OptionsSchema;
  create: Constructor<Contracts[K]>;
  /** Path of the file that announced it. */
  file: string;
  /** The plugin that brought it; absent for what comes with mtcp. */
  plugin?: string;
}
