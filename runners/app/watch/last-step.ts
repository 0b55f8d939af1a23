// The last step of a trial, from the end of its file.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { STEP, type StepRecord } from '../../store/ledger/steps.js';

/** Longer than any line of a step. */
const ROOM = 64 * 1024;

/** Undefined if there is none, or it cannot be read. */
export function lastStep(path: string): StepRecord | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    const { size } = fstatSync(file);
    const buffer = Buffer.alloc(Math.min(ROOM, size));
    readSync(file, buffer, 0, buffer.length, size - buffer.length);
    const end = buffer.lastIndexOf(0x0a);
    const start = buffer.lastIndexOf(0x0a, end - 1) + 1;
    return end < 0 ? undefined : STEP.line(buffer.toString('utf8', start, end));
  } catch {
    return undefined;
  } finally {
    closeSync(file);
  }
}
