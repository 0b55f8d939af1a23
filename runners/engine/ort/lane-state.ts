// What the threads of parallel sessions share (lanes.ts, lane.ts): a few integers in shared memory, and messages.
import type { MessagePort } from 'node:worker_threads';
import type { Pointer } from './library.js';

/** A session with the binding that it is run with, and the parts, by number, that have to be done before. */
export interface PartRun {
  session: Pointer;
  binding: Pointer;
  waits: readonly number[];
}

export interface LaneSetup {
  /** See CONTROL. */
  control: Int32Array;
  /** How many there are. */
  threads: number;
  messages: MessagePort;
}

/** To a thread. */
export type LaneMessage =
  | {
      define: number;
      parts: readonly PartRun[];
      /** See turns.ts. */
      state: Int32Array;
    }
  | { forget: number };

/** From a thread: why a part failed, or, from the last thread that leaves a run, that it has ended. */
export interface LaneAnswer {
  error?: string;
}

/** Integers that all jobs share. */
export const CONTROL = {
  /** Counts runs; threads wait for it to change. */
  run: 0,
  /** The job to run. */
  job: 1,
  length: 2,
} as const;
