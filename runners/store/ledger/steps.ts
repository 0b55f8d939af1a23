// The most detailed record of a trial: one JSON object for each step in steps.jsonl. It is flushed to disk less often
// than the events. When a trial continues from a checkpoint, the lines after that checkpoint are removed and written
// again.
import { JsonFormat, NUMBERS } from '../../../registry/support/json-file.js';
import { writeWhole } from '../../support/files.js';
import { LineLog } from '../../support/lines.js';

export interface StepRecord {
  /** Count from 1. */
  epoch: number;
  step: number;
  /** When the step ended, in milliseconds since 1970. */
  time: number;
  /** Learning rate. */
  rate: number;
  /** The objective. */
  total: number;
  /** Losses by task; absent for a task without a valid pixel. */
  raw: Record<string, number>;
  projected: Record<string, number>;
  /** See the epoch event. */
  weights: Record<string, number>;
  cosines: Record<string, number>;
  /** What is added to the tasks' losses, before its weight: auxiliary losses and components' own; absent without any. */
  penalties?: Record<string, number>;
}

/** Steps held back before they are written, and for how many milliseconds. */
const HELD = 50;
const HELD_FOR = 5000;

export class StepLog {
  #lines: LineLog;
  #flushed = -Infinity;

  constructor(readonly path: string) {
    this.#lines = new LineLog(path);
  }

  add({ epoch, step, ...losses }: Omit<StepRecord, 'time'>): void {
    const { rate, total, raw, projected, weights, cosines, penalties } = losses;
    const time = Date.now();
    this.#lines.add(
      JSON.stringify({ epoch, step, time, rate, total, raw, projected, weights, cosines, penalties }),
    );
    const now = performance.now();
    if (this.#lines.pending < HELD && now - this.#flushed < HELD_FOR) return;
    this.#flushed = now;
    this.#lines.tryFlush();
  }

  /** Writes what is held back, if there is room. */
  tryFlush(): void {
    this.#lines.tryFlush();
  }

  /** @throws MtcpError `io` if records are left that cannot be written */
  flush(): void {
    this.#lines.flush();
  }

  /**
   * Forgets everything after `step`.
   * @returns how many lines could not be read, and are gone as well
   */
  rewind(step: number): number {
    const { records, malformed } = STEP.lines(this.path);
    const kept = records.filter((record) => record.step <= step);
    writeWhole(this.path, kept.map((record) => `${JSON.stringify(record)}\n`).join(''));
    this.#lines = new LineLog(this.path);
    return malformed.length;
  }
}

const COUNT = { type: 'integer', minimum: 0 };
const NUMBER = { type: ['number', 'null'] };

export const STEP = new JsonFormat<StepRecord>('a log of steps', {
  type: 'object',
  required: ['epoch', 'step', 'time', 'rate', 'total', 'raw', 'projected', 'weights', 'cosines'],
  properties: {
    epoch: COUNT,
    step: COUNT,
    time: { type: 'number' },
    rate: NUMBER,
    total: NUMBER,
    raw: NUMBERS,
    projected: NUMBERS,
    weights: NUMBERS,
    cosines: NUMBERS,
    penalties: NUMBERS,
  },
});

/**
 * All whole lines that can be read; a last line that a crash cut off is left out.
 * @throws MtcpError `io` if the file is no plain file
 */
export const readSteps = (path: string): StepRecord[] => STEP.lines(path).records;
