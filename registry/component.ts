// A component is one class in one file, announced with @component. The announcement carries everything a
// person or an editor wants to know (summary, source, the JSON Schema of its options), so `mtcp list`,
// `mtcp describe`, the editor schema and validation all read the same entry.
import 'reflect-metadata';
import { fileURLToPath } from 'node:url';
import { inject, injectable } from 'inversify';
import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { catalog } from './catalog.js';
import type { AuxiliaryLoss } from './contracts/auxiliary.js';
import type { Backbone, Block, Head } from './contracts/blocks.js';
import type { CheckpointFormat } from './contracts/checkpoints.js';
import type { Dataset, Transform } from './contracts/data.js';
import type { Launcher } from './contracts/launching.js';
import type { Loss, Metric, Optimizer, Schedule, Scheme } from './contracts/learning.js';
import type { TaskKind } from './contracts/tasks.js';
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
  dataset: 'samples with labels for one or more tasks',
  transform: 'input pipeline: augmentation, resizing, normalisation',
  optimizer: 'gradients to better weights',
  schedule: 'the learning rate over time',
  tracker: 'shows runs elsewhere, such as on a tracking server',
  launcher: 'trains trials here, or as jobs of a cluster',
};

/** The options of a component as TypeScript sees them, from the component's own schema. */
export type OptionsOf<S extends OptionsSchema> = S extends JSONSchema ? FromSchema<S> : never;

export interface ComponentMeta<K extends Kind = Kind> {
  kind: K;
  /** What a YAML file writes after `type:`. */
  name: string;
  /** One sentence. */
  summary: string;
  /** Paper, equation or reference file. */
  source?: string;
  /** Of a head, loss or metric: the kinds of task that it is for, if not all; none: for auxiliary predictions only. */
  tasks?: readonly TaskKind[];
  /** Draft-07 schema of the options, each property with a description and, if optional, a default. */
  options: OptionsSchema;
  /** Whether a slot that has all of the required options and no `type` means this component. */
  bare?: boolean;
  /** Public checkpoints that fit the component. */
  checkpoint?: CheckpointFormat;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Constructor<T> = new (...args: any[]) => T;

export interface ComponentEntry<K extends Kind = Kind> extends ComponentMeta<K> {
  create: Constructor<Contracts[K]>;
  /** The file that announced it. */
  file: string;
  /** The plugin that brought it; absent for what comes with mtcp. */
  plugin?: string;
}

/** Announces a class as a component. Registering a name twice throws and names both files. */
export function component<K extends Kind>(meta: ComponentMeta<K>) {
  return announcer(meta, callerFile());
}

/** The decorator for what is announced in `file`. */
export function announcer<K extends Kind>(meta: ComponentMeta<K>, file: string) {
  return <T extends Constructor<Contracts[K]>>(target: T): void => {
    injectable()(target);
    catalog.add({ ...meta, create: target, file } as ComponentEntry);
  };
}

/** The module that called the function that called this one. */
export function callerFile(): string {
  const line = new Error().stack?.split('\n')[3] ?? '';
  const match = /(file:\/\/[^)\s]+?|\/[^)\s]+?):\d+:\d+\)?$/.exec(line);
  if (!match) return 'unknown file';
  return match[1].startsWith('file:') ? fileURLToPath(match[1]) : match[1];
}

/** Injects the component's validated options, defaults filled in. */
export const options = (): ParameterDecorator & PropertyDecorator => inject(OPTIONS);
/** Injects the tasks of the trial, in order: `readonly Task[]`. */
export const tasks = (): ParameterDecorator & PropertyDecorator => inject(TASKS);
/** Injects the factory for components named inside options: `ComponentFactory`. */
export const components = (): ParameterDecorator & PropertyDecorator => inject(COMPONENTS);

export const OPTIONS = Symbol.for('mtcp.options');
export const TASKS = Symbol.for('mtcp.tasks');
export const COMPONENTS = Symbol.for('mtcp.components');
