// TrialSpec: the resolved configuration of a trial, and the hash that identifies it.
import { createHash } from 'node:crypto';
import type { Slot } from '../../registry/container.js';
import type { MemoryPolicy } from '../../registry/contracts/memory.js';
import { isPlainObject } from '../../registry/options.js';

export interface TaskConfig {
  head: Slot;
  loss: Slot;
  metric: Slot;
}

export interface ModelConfig {
  backbone: Slot;
  decoder: Slot | null;
  fusion: Slot | null;
  interaction: Slot | null;
  refinement: Slot | null;
}

export interface WeightsConfig {
  backbone: string | null;
  /** What identifies the file: where it lies does not change a trial, what is in it does. */
  digest: string | null;
  /** Task or part of the network to the row that trained it. */
  rows: Record<string, string>;
}

export interface IntermediateConfig {
  reduce: 'mean' | 'sum';
  scheme: boolean;
  weight: number;
}

export interface AuxiliaryConfig {
  loss: Slot;
  weight: number;
  /** The row whose network teaches. */
  teacher: string | null;
}

export interface LoraConfig {
  rank: number;
  /** The update is multiplied by alpha / rank. */
  alpha: number;
  /** Patterns of the adapted weights; null: those that make queries, keys and values in the backbone. */
  parameters: string[] | null;
}

export interface TrainConfig {
  epochs: number;
  batch: number;
  accumulate: number;
  clip: number | null;
  /** Decay of the running mean of the weights that is evaluated and kept; null: the weights themselves. */
  ema: number | null;
  /** Patterns of parameters and running statistics that training leaves as they are. */
  freeze: string[];
  /** Low-rank updates that train in place of some weights; null: none. */
  lora: LoraConfig | null;
  checkpoint: { every: number; minutes: number | null; keep: 'none' | 'last' | 'best' | 'all' };
  workers: number | null;
  /** Megabytes of decoded samples. */
  cache: number;
}

export interface SelectionConfig {
  rule: 'last' | 'best';
  split: 'held-out' | 'test';
  /** `all` or `task.metric`. */
  metric: string;
  /** Part of the training images that is held out where it is needed. */
  share: number;
}

export interface EvaluateConfig {
  /** Epochs; null is only at the end. */
  every: number | null;
  mode: 'sv' | 'atrc';
  batch: number;
  quantize: boolean;
  /** Test-time augmentation: predictions for the mirrored image are averaged with those for the image ... */
  flip: boolean;
  /** ... and predictions at several sizes of the network's input. */
  scales: number[];
  /** Evaluations without a better score after which training ends; null: all epochs are trained. */
  patience: number | null;
  selection: SelectionConfig;
}

export type EngineConfig =
  | { type: 'onnx'; provider: 'cpu' | 'cuda' | 'webgpu'; threads: number | null }
  | {
      type: 'xla';
      plugin: string | null;
      precision: 'float32' | 'tf32' | 'bfloat16';
      devices: number | 'all';
    }
  | { type: 'tensorflow'; threads: number | null }
  | { type: 'wasm' }
  | { type: 'cpu' };

/** A trial as trial.schema.json describes it, defaults filled in at every depth, paths absolute. */
export interface TrialConfig {
  data: Slot;
  augment: Slot;
  /** In the order of the file. */
  tasks: Record<string, TaskConfig>;
  model: ModelConfig;
  weights: WeightsConfig;
  intermediate: IntermediateConfig;
  /** By name. */
  auxiliary: Record<string, AuxiliaryConfig>;
  scheme: Slot;
  optimizer: Slot;
  schedule: Slot;
  train: TrainConfig;
  evaluate: EvaluateConfig;
  memory: MemoryPolicy;
  engine: EngineConfig;
}

/** When a trial of a successive-halving search may end early: if it is not among the best at a rung. */
export interface Halving {
  /** Digest of the search, whose trials are compared. */
  readonly search: string;
  /** Epochs after which trials are compared. */
  readonly rungs: readonly number[];
  /** One of so many survives a rung. */
  readonly reduction: number;
  /** What they are compared by: `task.metric` or `all`, as in `evaluate.selection.metric`. */
  readonly metric: string;
}

/**
 * Plain data: frozen at every depth, the same after JSON, and hashed once. Where its values were written is beside it, in
 * the experiment's provenance; what a process decides for itself is in its run settings.
 */
export interface TrialSpec {
  /** Name of the experiment. */
  readonly experiment: string;
  readonly row: string;
  readonly seed: number;
  readonly config: TrialConfig;
  /** 64 hexadecimal digits; equal for trials whose results must be equal. */
  readonly hash: string;
  /** What other rows have to be done with first: path in the configuration that names the row, to its trial. */
  readonly sources: Readonly<Record<string, TrialSpec>>;
  /** `kind/name` of the components that it may use to a digest of their code. */
  readonly code: Readonly<Record<string, string>>;
  /** Of trials of a successive-halving search. */
  readonly halving?: Halving;
  /** Files of a user's own that the experiment loads, absolute. */
  readonly plugins: readonly string[];
}

/** Raised when the same configuration starts to mean another result. */
export const HASH_VERSION = 2;

/**
 * What does not change a trial's result and so is left out of its hash, besides every option that is a path
 * (where data lies) and everything outside the trial sections (name, title, description, report).
 */
export const NOT_HASHED: readonly (readonly string[])[] = [
  ['engine', 'threads'],
  // Several devices compute what one does; see engine/xla/mesh.ts.
  ['engine', 'devices'],
  ['train', 'workers'],
  ['train', 'cache'],
  ['train', 'checkpoint'],
  ['memory'],
  // What the rows are called does not matter; what they are counts as `sources`.
  ['weights', 'rows'],
];

/** What identifies a trial besides its configuration. */
export interface Identity {
  seed: number;
  /** Where the configuration holds file system paths. */
  paths: readonly (readonly string[])[];
  /** `kind/name` to a digest of its code: changed code is another trial. */
  code: Readonly<Record<string, string>>;
  /** Of trials that depend on other rows. */
  sources: TrialSpec['sources'];
  /** A trial that may end early is another trial than one that does not. */
  halving?: Halving;
}

export function trialHash(config: TrialConfig, { seed, paths, code, sources, halving }: Identity): string {
  const left = structuredClone(config);
  const terms = Object.values(left.auxiliary ?? {});
  for (const term of terms) remove(term, ['teacher']);
  // A trial without such terms is the same as before there were any.
  if (terms.length === 0) remove(left, ['auxiliary']);
  // The same holds for what came later and is not used.
  if (left.train?.ema === null) remove(left, ['train', 'ema']);
  if (left.train?.freeze?.length === 0) remove(left, ['train', 'freeze']);
  if (left.train?.lora === null) remove(left, ['train', 'lora']);
  if (left.evaluate?.patience === null) remove(left, ['evaluate', 'patience']);
  if (left.evaluate?.flip === false) remove(left, ['evaluate', 'flip']);
  if (String(left.evaluate?.scales) === '1') remove(left, ['evaluate', 'scales']);
  for (const path of [...NOT_HASHED, ...paths]) remove(left, path);
  const dependsOn = Object.entries(sources).map(([path, { hash }]) => [path, hash]);
  const identity = {
    version: HASH_VERSION,
    seed,
    config: left,
    code,
    ...(halving && { halving }),
    ...(dependsOn.length > 0 && { sources: Object.fromEntries(dependsOn) }),
  };
  return createHash('sha256').update(canonicalJson(identity)).digest('hex');
}

/** JSON with keys sorted at every depth and no blanks. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    isPlainObject(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : part,
  );
}

function remove(root: object, path: readonly string[]): void {
  let at: unknown = root;
  for (const step of path.slice(0, -1)) at = (at as Record<string, unknown> | undefined)?.[step];
  const last = path.at(-1)!;
  // Items of a list keep their positions.
  if (Array.isArray(at)) at[Number(last)] = null;
  else if (isPlainObject(at)) delete at[last];
}
