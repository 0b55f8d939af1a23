// The events of a trial: one JSON object a line in events.jsonl, appended as things happen and never changed. Tables,
// curves and trackers are made from them.
import type { Split } from '../../../registry/contracts/data.js';
import type { Measured } from '../../../registry/contracts/learning.js';
import { JsonFormat, NUMBERS, type FileSchema } from '../../../registry/support/json-file.js';
import { MtcpError } from '../../../registry/errors.js';
import { LineLog } from '../../support/lines.js';
import type { Machine } from '../../support/machine.js';

export type TrialEvent =
  | {
      event: 'started';
      row: string;
      seed: number;
      hash: string;
      data: { caption: string; digest: string; notes: string[] };
      /** How many images each split has. Absent in logs of older versions, as is `machine`. */
      images?: Record<Split, number>;
      machine?: Machine;
    }
  /** Goes on from the checkpoint of `step`, 0 being the very start: what was logged of training after it is void. */
  | { event: 'resumed'; epoch: number; step: number }
  /** Processes that share the steps of the trial, the first of them being the one that writes this. */
  | { event: 'shared'; processes: string[] }
  /** Something did not work that training can do without for now. */
  | { event: 'warning'; message: string }
  | {
      event: 'compiled';
      program: string;
      recordSeconds: number;
      sessionSeconds: number;
      nodes: number;
      bytes: number;
      /** Absent in logs of older versions. */
      flops?: number;
    }
  | { event: 'model'; parameters: number; trained: number; stepsPerEpoch: number }
  /** What each class of a task weighs in its loss, from the training split. */
  | { event: 'class weights'; task: string; weights: number[] }
  /** Parameters that start from a file. */
  | { event: 'pretrained'; source: string; tensors: number; parameters: number }
  | {
      event: 'epoch';
      /** Counts from 1. */
      epoch: number;
      step: number;
      rate: number;
      /** Mean over the epoch of each task's raw loss, and of the objective. */
      losses: Record<string, number>;
      /** The same on the scale of the loss-weighting scheme. */
      projected: Record<string, number>;
      objective: number;
      /** What the gradients of the projected losses were multiplied by, on average over the epoch. */
      weights: Record<string, number>;
      /** Mean cosines between the gradients of two tasks ("a/b"), where the scheme compares gradients. */
      cosines: Record<string, number>;
      seconds: number;
      /** Seconds of the epoch spent waiting for data. */
      waited: number;
    }
  | ({ event: 'evaluated'; epoch: number; seconds: number } & Measured)
  /**
   * Scores that decide about weights, on images that are not the reported ones; `score` is what they come to, null
   * where a metric that decides has no value.
   */
  | ({ event: 'judged'; epoch: number; split: string; score: number | null } & Measured)
  /** A trial of a successive-halving search was compared with `of` trials, itself included, at a rung. */
  | { event: 'rung'; epoch: number; rank: number; of: number; kept: boolean }
  | { event: 'checkpoint'; epoch: number; step: number; path: string }
  | { event: 'finished'; epoch: number; seconds: number }
  | { event: 'interrupted'; epoch: number; step: number }
  | { event: 'failed'; message: string };

export type LoggedEvent = TrialEvent & { time: string };

export class EventLog {
  readonly #lines: LineLog;

  /** @throws MtcpError `io` if the file cannot be written */
  constructor(readonly path: string) {
    this.#lines = new LineLog(path);
  }

  /**
   * An event that cannot be written, as on a full disk, is kept and written before the next one.
   * @returns the event with its time
   */
  append(event: TrialEvent): LoggedEvent {
    const logged = { time: new Date().toISOString(), ...event };
    this.#lines.add(JSON.stringify(logged));
    this.#lines.tryFlush();
    return logged;
  }

  /** @throws MtcpError `io` if events are left that cannot be written */
  flush(): void {
    this.#lines.flush();
  }
}

/** Events that tell how training went; the others tell about processes. */
const COURSE: ReadonlySet<TrialEvent['event']> = new Set([
  'epoch',
  'evaluated',
  'judged',
  'rung',
  'checkpoint',
  'finished',
]);

const TEXT = { type: 'string' };
/** It becomes a part of folder names. */
export const DIGEST = { type: 'string', pattern: '^[\\w-]*$' };
const COUNT = { type: 'integer', minimum: 0 };
/** What is not a number is written as null. */
const NUMBER = { type: ['number', 'null'] };
const SECONDS = { type: 'number' };

/** What each event says at least. */
const FIELDS: Readonly<Record<TrialEvent['event'], Readonly<Record<string, FileSchema>>>> = {
  started: {
    row: TEXT,
    seed: { type: 'integer' },
    hash: TEXT,
    data: {
      type: 'object',
      required: ['caption', 'digest', 'notes'],
      properties: { caption: TEXT, digest: DIGEST, notes: { type: 'array', items: TEXT } },
    },
  },
  resumed: { epoch: COUNT, step: COUNT },
  shared: { processes: { type: 'array', items: TEXT } },
  warning: { message: TEXT },
  compiled: {
    program: TEXT,
    recordSeconds: SECONDS,
    sessionSeconds: SECONDS,
    nodes: COUNT,
    bytes: { type: 'number' },
  },
  model: { parameters: COUNT, trained: COUNT, stepsPerEpoch: COUNT },
  'class weights': { task: TEXT, weights: { type: 'array', items: SECONDS } },
  pretrained: { source: TEXT, tensors: COUNT, parameters: COUNT },
  epoch: {
    epoch: COUNT,
    step: COUNT,
    rate: NUMBER,
    losses: NUMBERS,
    projected: NUMBERS,
    objective: NUMBER,
    weights: NUMBERS,
    cosines: NUMBERS,
    seconds: SECONDS,
    waited: SECONDS,
  },
  evaluated: { epoch: COUNT, metrics: NUMBERS, seconds: SECONDS },
  judged: { epoch: COUNT, split: TEXT, score: NUMBER, metrics: NUMBERS },
  rung: { epoch: COUNT, rank: COUNT, of: COUNT, kept: { type: 'boolean' } },
  checkpoint: { epoch: COUNT, step: COUNT, path: TEXT },
  finished: { epoch: COUNT, seconds: SECONDS },
  interrupted: { epoch: COUNT, step: COUNT },
  failed: { message: TEXT },
};

/** What newer versions add. */
const LATER: Partial<Record<TrialEvent['event'], Readonly<Record<string, FileSchema>>>> = {
  started: {
    images: { type: 'object', required: ['train', 'val'], properties: { train: COUNT, val: COUNT } },
    machine: {
      type: 'object',
      required: ['processor', 'cores', 'memory', 'system', 'node', 'mtcp'],
      properties: {
        processor: TEXT,
        cores: COUNT,
        memory: COUNT,
        system: TEXT,
        node: TEXT,
        mtcp: TEXT,
        commit: TEXT,
      },
    },
  },
};

export const EVENT = new JsonFormat<LoggedEvent>('a log of events', {
  type: 'object',
  required: ['time', 'event'],
  properties: { time: TEXT, event: { enum: Object.keys(FIELDS) } },
  allOf: Object.entries(FIELDS).map(([event, properties]) => ({
    if: { properties: { event: { const: event } } },
    // oxlint-disable-next-line unicorn/no-thenable -- a word of JSON Schema
    then: {
      type: 'object',
      required: Object.keys(properties),
      properties: { ...properties, ...LATER[event as TrialEvent['event']] },
    },
  })),
});

/** A log as it was read. */
export interface ReadLog {
  /** The events that count. */
  events: LoggedEvent[];
  /** What is wrong with the file, for people: lines that are left out because they cannot be read, or all of it. */
  fault?: string;
}

/**
 * The events that count. A `resumed` makes void what was logged of training after the checkpoint that it names;
 * a last line that a crash cut off is left out. Nothing that the file holds makes this fail.
 */
export function readLog(path: string): ReadLog {
  let lines;
  try {
    lines = EVENT.lines(path);
  } catch (error) {
    if (!MtcpError.is(error)) throw error;
    return { events: [], fault: `${error.where}: ${error.message}` };
  }
  let events: LoggedEvent[] = [];
  for (const event of lines.records) {
    if (event.event === 'resumed') {
      const { step } = event;
      const from = events.findLastIndex((other) => other.event === 'checkpoint' && other.step === step);
      events = events.filter((other, i) => i <= from || !COURSE.has(other.event));
    }
    events.push(event);
  }
  const { malformed } = lines;
  if (malformed.length === 0) return { events };
  const which =
    malformed.length === 1
      ? `line ${malformed[0]}`
      : `${malformed.length} lines, first line ${malformed[0]},`;
  return {
    events,
    fault: `${path}: ${which} cannot be read and ${malformed.length === 1 ? 'is' : 'are'} left out`,
  };
}

export const readEvents = (path: string): LoggedEvent[] => readLog(path).events;

/** How training went, from its first epoch to its end: the same however often it was interrupted, but for times. */
export const courseOf = (events: readonly LoggedEvent[]): LoggedEvent[] =>
  events.filter(({ event }) => COURSE.has(event));
