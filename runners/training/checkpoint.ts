// A checkpoint is a folder: weights.safetensors (the state dict and nothing else), optimizer.safetensors, and
// state.json with everything that is not a tensor. It appears whole or not at all. Random numbers need no place
// in it: every stream is named by seed, epoch and step.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { MtcpError } from '../../registry/errors.js';
import type { HostTensor } from '../engine/ort/session.js';
import { writeFolder, writeWhole } from '../ledger/files.js';
import { readSafetensors, writeSafetensors } from './safetensors.js';
import type { TrainingStep } from './step.js';

/** Raised when checkpoints of older versions cannot be continued. */
const FORMAT = 1;

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
}

const nameOf = (step: number): string => `step-${String(step).padStart(8, '0')}`;
const PATTERN = /^step-\d{8}$/;

export function writeCheckpoint(folder: string, step: TrainingStep, state: RunState): string {
  const bad = step.weights.firstNonFinite();
  if (bad)
    throw new MtcpError('numeric', `the weights are not finite any more: first in "${bad}"`, {
      hint: 'the last checkpoint is kept',
    });
  const path = join(folder, nameOf(state.step));
  writeFolder(path, (temporary) => {
    writeSafetensors(join(temporary, 'weights.safetensors'), new Map(step.weights.entries()));
    const slots = new Map<string, HostTensor>();
    for (const [slot, { views }] of Object.entries(step.slots))
      for (const [name, view] of views) slots.set(`${slot}/${name}`, view);
    writeSafetensors(join(temporary, 'optimizer.safetensors'), slots);
    writeWhole(join(temporary, 'state.json'), `${JSON.stringify({ format: FORMAT, ...state }, null, 1)}\n`);
  });
  return path;
}

/** The newest whole checkpoint, if there is one. */
export function latestCheckpoint(folder: string): string | undefined {
  if (!existsSync(folder)) return undefined;
  const names = readdirSync(folder)
    .filter((name) => PATTERN.test(name))
    .sort();
  return names.length > 0 ? join(folder, names[names.length - 1]) : undefined;
}

/** Puts weights and optimizer state back and returns the rest. */
export function readCheckpoint(path: string, step: TrainingStep): RunState {
  const { format, ...state } = JSON.parse(readFileSync(join(path, 'state.json'), 'utf8')) as RunState & {
    format: number;
  };
  if (format !== FORMAT)
    throw new MtcpError('weights', `${path} was written in format ${format}, this version reads ${FORMAT}`, {
      hint: "delete the run's folder to start anew",
    });
  step.weights.load(
    readSafetensors(join(path, 'weights.safetensors')).tensors,
    join(path, 'weights.safetensors'),
  );
  const { tensors } = readSafetensors(join(path, 'optimizer.safetensors'));
  for (const [slot, { views }] of Object.entries(step.slots))
    for (const [name, view] of views) {
      const stored = tensors.get(`${slot}/${name}`);
      if (!stored || stored.data.length !== view.data.length)
        throw new MtcpError('weights', `${path}: no state of the optimizer for "${name}"`);
      view.data.set(stored.data);
    }
  return state;
}

/** Removes every checkpoint but the given ones, and what interrupted writes left. */
export function pruneCheckpoints(folder: string, keep: readonly (string | undefined)[]): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder))
    if (!keep.includes(join(folder, name))) rmSync(join(folder, name), { recursive: true, force: true });
}
