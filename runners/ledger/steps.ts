// The finest record of a trial: one JSON object a step in steps.jsonl. It is not flushed to disk as eagerly as the
// events; what is behind the checkpoint that a trial goes on from is cut off and written again.
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { writeWhole } from './files.js';

export interface StepRecord {
  /** Count from 1. */
  epoch: number;
  step: number;
  /** The objective. */
  total: number;
  /** Losses by task; absent for a task without a valid pixel. */
  raw: Record<string, number>;
  projected: Record<string, number>;
  /** See the epoch event. */
  weights: Record<string, number>;
  cosines: Record<string, number>;
}

/** Steps held back before they are written. */
const HELD = 50;

export class StepLog {
  #held: string[] = [];

  constructor(readonly path: string) {}

  add({ epoch, step, total, raw, projected, weights, cosines }: StepRecord): void {
    this.#held.push(`${JSON.stringify({ epoch, step, total, raw, projected, weights, cosines })}\n`);
    if (this.#held.length >= HELD) this.flush();
  }

  flush(): void {
    if (this.#held.length === 0) return;
    mkdirSync(dirname(this.path), { recursive: true });
    appendFileSync(this.path, this.#held.join(''));
    this.#held = [];
  }

  /** Forgets everything after `step`. */
  rewind(step: number): void {
    this.#held = [];
    if (!existsSync(this.path)) return;
    const kept = readSteps(this.path).filter((record) => record.step <= step);
    writeWhole(this.path, kept.map((record) => `${JSON.stringify(record)}\n`).join(''));
  }
}

/** All whole lines; a last line that a crash cut off is left out. */
export function readSteps(path: string): StepRecord[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line): StepRecord[] => {
      try {
        return line === '' ? [] : [JSON.parse(line) as StepRecord];
      } catch {
        return [];
      }
    });
}
