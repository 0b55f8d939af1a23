// An append-only file of lines. A line that a crash left incomplete is removed when the file is opened again. Lines
// that cannot be written, for example on a full disk, are kept and written before the next one.
import {
  appendFileSync,
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  truncateSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { asIoError } from './files.js';
import { requireOwn } from './own.js';
import { makeFolder } from '../../registry/support/make-folder.js';
import { entryAt } from '../../registry/support/plain-file.js';

/** Bytes looked at for the end of the last whole line. */
const LONGEST_LINE = 1 << 20;

export class LineLog {
  #pending: string[] = [];
  #size: number;

  /** @throws MtcpError `io` if the file cannot be written, `usage` if it is a link or no file */
  constructor(readonly path: string) {
    requireOwn(path, 'file');
    try {
      makeFolder(dirname(path));
      this.#size = cutTornLine(path);
    } catch (error) {
      throw asIoError(error, path);
    }
  }

  /** Lines that are not written yet. */
  get pending(): number {
    return this.#pending.length;
  }

  add(line: string): void {
    this.#pending.push(`${line}\n`);
  }

  /** Call flush when the file has to be whole. */
  tryFlush(): void {
    try {
      this.flush();
    } catch {
      // Kept for the next time.
    }
  }

  /** @throws MtcpError `io` if lines are left that cannot be written */
  flush(): void {
    if (this.#pending.length === 0) return;
    const text = this.#pending.join('');
    try {
      appendFileSync(this.path, text);
      this.#size += Buffer.byteLength(text);
      this.#pending = [];
    } catch (error) {
      // Half a line may have been written.
      if (entryAt(this.path)?.isFile()) truncateSync(this.path, this.#size);
      throw asIoError(error, this.path);
    }
  }
}

/** Ends the file with its last whole line and returns its size. */
function cutTornLine(path: string): number {
  const file = openSync(path, 'a+');
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) return 0;
    const { size } = stat;
    const tail = Buffer.alloc(Math.min(size, LONGEST_LINE));
    readSync(file, tail, 0, tail.length, size - tail.length);
    const whole = size - tail.length + tail.lastIndexOf(0x0a) + 1;
    if (whole < size) ftruncateSync(file, whole);
    return whole;
  } finally {
    closeSync(file);
  }
}
