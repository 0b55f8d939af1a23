// The last whole line of a file of JSON lines.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Longer than any line of a step. */
const ROOM = 64 * 1024;

/** Undefined if there is none, or it cannot be read. */
export function readTail<T>(path: string): T | undefined {
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
    return end < 0 ? undefined : (JSON.parse(buffer.toString('utf8', start, end)) as T);
  } catch {
    return undefined;
  } finally {
    closeSync(file);
  }
}
