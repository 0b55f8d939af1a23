// A checkpoint is a folder: weights.safetensors (the state dict and nothing else), optimizer.safetensors, perhaps
// scheme.safetensors (running gradients and the like), and state.json with everything that is not a tensor, and the
// checksums of the others. It appears whole or not at all; what a disk damaged later is noticed by its checksum. Random numbers need no place in it: every stream is
// named by seed, epoch and step.
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { MtcpError } from '../../registry/errors.js';
import type { HostTensor } from '../support/host-tensor.js';
import { leftoversOf, writeFolder, writeWhole } from '../support/files.js';
import { freeName, removeOwnFolder, requireOwn } from '../support/own.js';
import { readSafetensors, SafetensorsFile, writeSafetensors } from '../support/safetensors.js';
import { putArrays, takeArrays } from './state-arrays.js';

/** Raised when checkpoints of older versions cannot be continued. */
const FORMAT = 3;

/** Where a run is and what it has gathered. */
export interface RunState {
  /** Whole epochs done. */
  epoch: number;
  /** Steps done of the epoch under way. */
  stepInEpoch: number;
  /** Steps done in all. */
  step: number;
  scheme: unknown;
  /** Sums and counts of losses over the steps of the epoch under way. */
  losses: unknown;
  /** Seconds of training so far. */
  seconds: number;
  best: { epoch: number; score: number; metrics: Record<string, number> } | null;
  /** The last evaluation. */
  last: { epoch: number; metrics: Record<string, number> } | null;
}

/** The numbers of a model as a checkpoint holds them. */
export interface StoredWeights {
  /** Parameters and buffers by name. */
  entries(): Iterable<[string, HostTensor]>;
  /** The first tensor with a value that is not finite. */
  firstNonFinite(): string | undefined;
  /** @throws MtcpError `weights` if a name or a shape does not fit */
  load(file: SafetensorsFile): void;
}

/** What is trained: weights, and vectors of the optimizer by slot and parameter. */
export interface Stored {
  readonly weights: StoredWeights;
  readonly slots: Readonly<Record<string, { readonly views: ReadonlyMap<string, HostTensor> }>>;
}

/** What state.json holds. */
interface StateFile {
  format: number;
  /** CRC-32 of the other files. */
  files: Record<string, number>;
  state: RunState;
}

const WEIGHTS = 'weights.safetensors';
const OPTIMIZER = 'optimizer.safetensors';
const SCHEME = 'scheme.safetensors';
const STATE = 'state.json';

const nameOf = (step: number): string => `step-${String(step).padStart(8, '0')}`;
const PATTERN = /^step-\d{8}$/;
const BEST = 'best';
/** Folders that are made here: checkpoints, those that were set aside, and what interrupted writes left. */
const isOwn = (name: string): boolean => OWN.some((pattern) => pattern.test(name));
const OWN = [PATTERN, /^best$/, /^step-\d{8}\.damaged(-\d+)?$/, leftoversOf(`step-\\d{8}|${BEST}`)];
/** The files in them. */
const FILES = /^(weights|optimizer|scheme)\.safetensors(\.partial)?$|^state\.json(\.[0-9a-f]{8}\.partial)?$/;

export function writeCheckpoint(folder: string, step: Stored, state: RunState): string {
  const bad = step.weights.firstNonFinite();
  if (bad)
    throw new MtcpError('numeric', `the weights are not finite any more: first in "${bad}"`, {
      hint: 'the last checkpoint is kept',
    });
  const path = join(folder, nameOf(state.step));
  writeFolder(path, FILES, (temporary) => {
    writeSafetensors(join(temporary, WEIGHTS), new Map(step.weights.entries()));
    const slots = new Map<string, HostTensor>();
    for (const [slot, { views }] of Object.entries(step.slots))
      for (const [name, view] of views) slots.set(`${slot}/${name}`, view);
    writeSafetensors(join(temporary, OPTIMIZER), slots);
    const { rest, arrays } = takeArrays(state.scheme);
    if (arrays.size > 0) writeSafetensors(join(temporary, SCHEME), arrays);
    const files = Object.fromEntries(
      [WEIGHTS, OPTIMIZER, ...(arrays.size > 0 ? [SCHEME] : [])].map((name) => [
        name,
        checksum(join(temporary, name)),
      ]),
    );
    const stored: StateFile = { format: FORMAT, files, state: { ...state, scheme: rest } };
    writeWhole(join(temporary, STATE), `${JSON.stringify(stored, null, 1)}\n`);
  });
  return path;
}

/** The weights of the best evaluation, in a folder beside the checkpoints. */
export const bestIn = (folder: string): string => join(folder, BEST);

/** Replaces the best weights; training does not go on from them, so there is no optimizer's state. */
export function writeBest(
  folder: string,
  weights: Pick<StoredWeights, 'entries'>,
  best: NonNullable<RunState['best']>,
): void {
  writeFolder(bestIn(folder), FILES, (temporary) => {
    writeSafetensors(join(temporary, WEIGHTS), new Map(weights.entries()));
    writeWhole(join(temporary, STATE), `${JSON.stringify(best, null, 1)}\n`);
  });
}

/** Whole checkpoints, the newest first. */
export function checkpointsIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => PATTERN.test(name));
  return names
    .sort()
    .reverse()
    .map((name) => join(folder, name));
}

/**
 * Puts weights and optimizer state back from the newest checkpoint that is whole, and returns the rest; undefined
 * if there is none. A damaged one gets another name.
 * @param damaged hears of each damaged one
 */
export function restoreLatest(
  folder: string,
  step: Stored,
  damaged: (message: string) => void,
): { path: string; state: RunState } | undefined {
  for (const path of checkpointsIn(folder)) {
    const fault = faultOf(path);
    if (fault === undefined) return { path, state: readCheckpoint(path, step) };
    damaged(`checkpoint ${path} is damaged (${fault}); the one before it is used`);
    renameSync(path, freeName(`${path}.damaged`));
  }
  return undefined;
}

/** What is wrong with the files of a checkpoint; undefined if nothing is. */
function faultOf(path: string): string | undefined {
  let files: StateFile['files'];
  try {
    ({ files } = JSON.parse(readFileSync(join(path, STATE), 'utf8')) as StateFile);
  } catch {
    return `${STATE} cannot be read`;
  }
  for (const [name, expected] of Object.entries(files ?? {})) {
    try {
      if (checksum(join(path, name)) !== expected)
        return `${name} has another checksum than when it was written`;
    } catch {
      return `${name} cannot be read`;
    }
  }
  return undefined;
}

/** CRC-32 of a file that may be larger than memory has room for. */
function checksum(path: string): number {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(1 << 20);
    let sum = 0;
    for (;;) {
      const count = readSync(file, buffer, 0, buffer.length, null);
      if (count === 0) return sum;
      sum = crc32(buffer.subarray(0, count), sum);
    }
  } finally {
    closeSync(file);
  }
}

/** Puts weights and optimizer state back and returns the rest. */
export function readCheckpoint(path: string, step: Stored): RunState {
  const { format, state } = JSON.parse(readFileSync(join(path, STATE), 'utf8')) as StateFile;
  if (format !== FORMAT)
    throw new MtcpError('weights', `${path} was written in format ${format}, this version reads ${FORMAT}`, {
      hint: "delete the run's folder to start anew",
    });
  const weights = new SafetensorsFile(join(path, WEIGHTS));
  try {
    step.weights.load(weights);
  } finally {
    weights.close();
  }
  const slots = new SafetensorsFile(join(path, OPTIMIZER));
  try {
    for (const [slot, { views }] of Object.entries(step.slots))
      for (const [name, { data }] of views) {
        if (!slots.tensors.has(`${slot}/${name}`))
          throw new MtcpError('weights', `${path}: no state of the optimizer for "${name}"`);
        slots.readInto(`${slot}/${name}`, data);
      }
  } finally {
    slots.close();
  }
  const arrays = join(path, SCHEME);
  if (existsSync(arrays)) state.scheme = putArrays(state.scheme, readSafetensors(arrays).tensors);
  return state;
}

/**
 * Removes every checkpoint but the given ones, and what interrupted writes left. Whatever else lies there stays.
 * @throws MtcpError `usage` if the folder is a link
 */
export function pruneCheckpoints(folder: string, keep: readonly string[]): void {
  if (!existsSync(folder)) return;
  requireOwn(folder, 'folder');
  for (const name of readdirSync(folder).filter(isOwn))
    if (!keep.includes(join(folder, name))) removeOwnFolder(join(folder, name), FILES);
}
