// Writes files atomically: a file is complete or does not exist.
import { MtcpError } from '../../registry/errors.js';
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
  type Stats,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { asIoError } from '../../registry/support/io-error.js';
import { makeFolder } from '../../registry/support/make-folder.js';
import { requireOwn } from './own.js';

export { asIoError };

/** Processes that write the same file do not share a temporary name. */
export const temporaryName = (path: string): string => `${path}.${randomUUID().slice(0, 8)}.partial`;

/** Mode of files that may hold what is secret: only their user reads and writes them. */
export const PRIVATE_FILE = 0o600;

/**
 * Writes to a temporary name beside `path`, flushes, renames.
 * @param mode who may read and write it, less the umask
 * @throws MtcpError `io`, also for a device or a pipe, which a file would take the place of
 */
export function writeWhole(path: string, content: string | Uint8Array, mode = 0o666): void {
  const temporary = temporaryName(path);
  try {
    makeFolder(dirname(path));
    requireReplaceable(path);
    const file = openSync(temporary, 'wx', mode);
    try {
      const bytes = typeof content === 'string' ? Buffer.from(content) : content;
      for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
    flushFolder(dirname(path));
  } catch (error) {
    discard(temporary);
    throw asIoError(error, path);
  }
}

/**
 * Writes what a user has named as an output: into a device or a pipe, such as /dev/stdout, and else a whole file, where
 * a link leads.
 * @throws MtcpError `io`; `usage` for a folder
 */
export function writeOutput(path: string, content: string | Uint8Array): void {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory()) throw isFolder(path);
    if (stat && isSpecial(stat)) writeFileSync(path, content);
    else writeWhole(stat ? realpathSync(path) : path, content);
  } catch (error) {
    throw asIoError(error, path);
  }
}

const isFolder = (path: string): MtcpError =>
  new MtcpError('usage', 'this is a folder; the output is a file', {
    where: path,
    hint: 'name a file in it',
  });

/** @throws MtcpError `io` where a file would take the place of a device, which the administrator may do by accident */
export function requireReplaceable(path: string): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat && isSpecial(stat))
    throw new MtcpError('io', 'is a pipe or a device, not a file', { where: path });
}

const isSpecial = (stat: Stats): boolean => !stat.isFile() && !stat.isDirectory();

/** What interrupted writes of a file or folder `name` leave beside it. */
export const leftoversOf = (name: string): RegExp =>
  new RegExp(`^(?:${name})\\.[0-9a-f]{8}\\.partial(?:\\.old)?$`);

/**
 * Fills a folder under a temporary name and renames it. What was at `path` before is replaced: its files that match
 * `own` are deleted, everything else in it is somebody else's and moves into the new folder.
 * @throws MtcpError `io`
 */
export function writeFolder(path: string, own: RegExp, fill: (temporary: string) => void): void {
  const temporary = temporaryName(path);
  const old = `${temporary}.old`;
  try {
    makeFolder(temporary);
    fill(temporary);
    const replaces = existsSync(path);
    if (replaces) {
      requireOwn(path, 'folder');
      renameSync(path, old);
    }
    renameSync(temporary, path);
    if (replaces) {
      for (const name of readdirSync(old).filter((each) => !own.test(each)))
        renameSync(join(old, name), join(path, name));
      discard(old);
    }
    flushFolder(dirname(path));
  } catch (error) {
    discard(temporary);
    throw inFolder(asIoError(error, path), temporary, path);
  }
}

/** An error of a file in the unfinished folder, said of the folder that people know. */
function inFolder(error: unknown, temporary: string, path: string): unknown {
  if (!MtcpError.is(error, 'io') || !error.where?.startsWith(temporary)) return error;
  return new MtcpError('io', error.message, { where: path, hint: error.hint, cause: error });
}

/** After a rename: without it a power cut may bring the old name back. */
function flushFolder(path: string): void {
  try {
    const folder = openSync(path, 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch {
    // Not every system can.
  }
}

/** Removes what could not be finished, if that is possible. */
export function discard(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // Left over; nothing trusts a partial name.
  }
}
