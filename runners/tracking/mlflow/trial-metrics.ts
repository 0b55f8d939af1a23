// Metrics of a trial that the server does not have yet, and the record of what it has. Each function reads what was
// added to a file of the trial's folder and moves `next`, the record that applies once the server has accepted the
// metrics.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { LoggedEvent } from '../../store/ledger/events.js';
import type { Metric } from './client/index.js';
import { epochMetrics, stepMetrics, taskMetrics } from './entities.js';
import { STEP } from '../../store/ledger/steps.js';
import { readLines } from './lines.js';
import type { ModelState } from './model.js';
import { stateFormat, type RunState } from './remote-run.js';
import { SAMPLE, SYSTEM_FILE, systemMetrics } from './system.js';

export interface TrialState extends RunState {
  /** Bytes of events.jsonl that the server has. */
  events: number;
  /** Bytes of steps.jsonl and the last step. The file is replaced when a trial returns to a checkpoint. */
  steps: { inode: number; bytes: number; step: number };
  /** Bytes of the samples of processor and memory. */
  system: number;
  /** Last epoch whose means, and whose evaluation, the server has. */
  epoch: number;
  evaluated: number;
  /** Metrics that were NaN or infinite. */
  nonFinite: string[];
  /** Id of the run that it is shown under. */
  parent: string | null;
  model: ModelState | null;
  /** Everything up to the end of the trial has been sent. */
  complete: boolean;
}

const COUNT = { type: 'integer', minimum: 0 };

export const TRIAL_STATE = stateFormat<TrialState>({
  events: COUNT,
  steps: {
    type: 'object',
    required: ['inode', 'bytes', 'step'],
    properties: { inode: { type: 'number' }, bytes: COUNT, step: COUNT },
  },
  system: COUNT,
  epoch: COUNT,
  evaluated: COUNT,
  nonFinite: { type: 'array', items: { type: 'string' } },
  parent: { type: ['string', 'null'] },
  model: {
    type: ['object', 'null'],
    required: ['model_id', 'done'],
    properties: {
      model_id: { type: ['string', 'null'] },
      done: { type: 'array', items: { type: 'string' } },
    },
  },
  complete: { type: 'boolean' },
});

/** What of a trial has been read. */
export type Progress = Pick<TrialState, 'steps' | 'system' | 'epoch' | 'evaluated'>;

/** Metrics of an event; none if the server has those of its epoch. */
export function eventMetrics(
  event: LoggedEvent,
  next: Progress,
  stepOfEpoch: ReadonlyMap<number, number>,
): Metric[] {
  const time = Date.parse(event.time);
  if (event.event === 'epoch' && event.epoch > next.epoch) {
    next.epoch = event.epoch;
    return epochMetrics(event, time);
  }
  if (event.event === 'evaluated' && event.epoch > next.evaluated) {
    next.evaluated = event.epoch;
    return taskMetrics('val', event.metrics, stepOfEpoch.get(event.epoch) ?? 0, time);
  }
  return [];
}

/**
 * Metrics of the steps that were added.
 * @param every only of steps divisible by it; of none if 0
 */
export function newStepMetrics(folder: string, every: number, next: Progress): Metric[] {
  if (every === 0) return [];
  const path = join(folder, 'steps.jsonl');
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return [];
  const replaced = stat.ino !== next.steps.inode || stat.size < next.steps.bytes;
  const read = readLines(path, replaced ? 0 : next.steps.bytes);
  if (!read || read.lines.length === 0) return [];
  const known = next.steps.step;
  const records = read.lines.flatMap((line) => STEP.line(line) ?? []).filter(({ step }) => step > known);
  next.steps = { inode: read.inode, bytes: read.end, step: records.at(-1)?.step ?? known };
  return records.filter(({ step }) => step % every === 0).flatMap(stepMetrics);
}

/** Metrics of the machine's samples that were added. */
export function newSystemMetrics(folder: string, next: Progress): Metric[] {
  const read = readLines(join(folder, SYSTEM_FILE), next.system);
  if (!read || read.lines.length === 0) return [];
  next.system = read.end;
  return read.lines.flatMap((line) => SAMPLE.line(line) ?? []).flatMap(systemMetrics);
}
