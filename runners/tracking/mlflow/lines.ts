// Reads files of lines that grow at their end, from the position where the last read ended.
import { closeSync, fstatSync, readSync } from 'node:fs';
import { entryAt, openPlain } from '../../../registry/support/plain-file.js';

export interface Lines {
  lines: string[];
  /** Where each line ends. */
  ends: number[];
  /** Where the next read starts. */
  end: number;
  /** Which file it was: another one if it was replaced. */
  inode: number;
  size: number;
}

/** About as much as fits into one request. */
const CHUNK = 256 * 1024;

/** Whole lines from `start` on, up to `limit` bytes; undefined if there is no such file. @throws MtcpError `io` */
export function readLines(path: string, start: number, limit = CHUNK): Lines | undefined {
  if (!entryAt(path)) return undefined;
  const { file } = openPlain(path, { kind: 'io' });
  try {
    const { size, ino: inode } = fstatSync(file);
    const from = start > size ? 0 : start;
    const buffer = Buffer.alloc(Math.min(limit, size - from));
    const read = readSync(file, buffer, 0, buffer.length, from);
    const lines: string[] = [];
    const ends: number[] = [];
    let begin = 0;
    for (let at = buffer.indexOf(0x0a); at >= 0 && at < read; at = buffer.indexOf(0x0a, begin)) {
      lines.push(buffer.toString('utf8', begin, at));
      begin = at + 1;
      ends.push(from + begin);
    }
    // A line longer than the limit would be waited for in vain.
    if (lines.length === 0 && read === limit) return readLines(path, start, limit * 4);
    return { lines, ends, end: from + begin, inode, size };
  } finally {
    closeSync(file);
  }
}
