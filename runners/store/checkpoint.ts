// A checkpoint is a folder: weights.safetensors (the state dict), optimizer.safetensors, optionally
// scheme.safetensors (for example running gradients), and state.json with everything that is not a tensor and the
// checksums of all files (state-file.ts). It appears complete or not at all; later damage is detected by the
// checksums. Random state is not stored: every stream is named by seed, epoch and step.
import { existsSync, readdirSync, renameSync } from 'node:fs';
import { basename, join } from 'node:path';
import { MtcpError } from '../../registry/errors.js';
import { JsonFormat, NUMBERS, TEXTS } from '../../registry/support/json-file.js';
import type { HostTensor } from '../support/host-tensor.js';
import type { Measured } from '../../registry/contracts/learning.js';
import { leftoversOf, writeFolder } from '../support/files.js';
import { freeName, removeOwnFolder, requireOwn } from '../support/own.js';
import { readSafetensors, SafetensorsFile, writeSafetensors } from '../support/safetensors.js';
import { faultOf, readState, STATE, writeState } from './state-file.js';
import { putArrays, takeArrays } from './state-arrays.js';

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
  best: (Measured & { epoch: number; score: number }) | null;
  /** The last evaluation. */
  last: (Measured & { epoch: number }) | null;
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

const WEIGHTS = 'weights.safetensors';
const OPTIMIZER = 'optimizer.safetensors';
const SCHEME = 'scheme.safetensors';

const COUNT = { type: 'integer', minimum: 0 };
const EVALUATED = { epoch: COUNT, metrics: NUMBERS, absent: TEXTS };

const RUN_STATE = new JsonFormat<RunState>(
  'the state of a run',
  {
    type: 'object',
    required: ['epoch', 'stepInEpoch', 'step', 'scheme', 'losses', 'seconds', 'best', 'last'],
    properties: {
      epoch: COUNT,
      stepInEpoch: COUNT,
      step: COUNT,
      seconds: { type: 'number', minimum: 0 },
      best: {
        type: ['object', 'null'],
        required: ['epoch', 'score', 'metrics'],
        properties: { ...EVALUATED, score: { type: ['number', 'null'] } },
      },
      last: { type: ['object', 'null'], required: ['epoch', 'metrics'], properties: EVALUATED },
    },
  },
  { kind: 'weights' },
);

const nameOf = (step: number): string => `step-${String(step).padStart(8, '0')}`;
const PATTERN = /^step-\d{8}$/;
const BEST = 'best';
/** Folders that are made here: checkpoints, those that were set aside, and what interrupted writes left. */
const isOwn = (name: string): boolean => OWN.some((pattern) => pattern.test(name));
const OWN = [PATTERN, /^best$/, /^step-\d{8}\.damaged(-\d+)?$/, leftoversOf(`step-\\d{8}|${BEST}`)];
/** The files in them. */
const FILES = /^((weights|optimizer|scheme)\.safetensors|state\.json)(\.[0-9a-f]{8}\.partial)?$/;

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
    const names = [WEIGHTS, OPTIMIZER, ...(arrays.size > 0 ? [SCHEME] : [])];
    writeState(temporary, names, { ...state, scheme: rest });
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
    writeState(temporary, [WEIGHTS], best);
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

/**
 * The file with the weights of a checkpoint, or of the best evaluation.
 * @throws MtcpError `weights` if it is not what was written
 */
export function wholeWeights(path: string): string {
  const fault = faultOf(path, [WEIGHTS]);
  if (fault === undefined) return join(path, WEIGHTS);
  const others = checkpointsIn(join(path, '..')).filter(
    (other) => other !== path && !faultOf(other, [WEIGHTS]),
  );
  throw new MtcpError('weights', `the weights cannot be trusted: ${fault}`, {
    where: path,
    hint:
      others.length > 0
        ? `whole is ${others.map((other) => basename(other)).join(', ')}: name it with --checkpoint`
        : 'no checkpoint of this trial is whole; `mtcp run` trains it again if its result.json is removed',
  });
}

/** Puts weights and optimizer state back and returns the rest. */
export function readCheckpoint(path: string, step: Stored): RunState {
  const state = RUN_STATE.check(readState<RunState>(path).state, join(path, STATE));
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
