// The lock files of a folder: listing, creating, reading, and how long ago one was written. lease.ts decides what they
// mean.
import { randomUUID } from 'node:crypto';
import { existsSync, linkSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MtcpError } from '../../../registry/errors.js';
import { JsonFormat } from '../../../registry/support/json-file.js';
import type { Owner } from './owner.js';

/** At most six digits: no lock of mtcp gets a higher number. */
const PATTERN = /^lock-([1-9]\d{0,5})\.json$/;

/** Identifies one state of a file: it changes whenever the file is written or replaced. Undefined without a file. */
export function identityOf(file: string): string | undefined {
  const stat = statSync(file, { throwIfNoEntry: false, bigint: true });
  return stat && `${stat.ino} ${stat.mtimeNs} ${stat.ctimeNs}`;
}

export const lockFile = (folder: string, number: number): string => join(folder, `lock-${number}.json`);
export const numberOf = (file: string): number => Number(/(\d+)\.json$/.exec(file)![1]);

/** Numbers of the lock files in a folder. Folders and symbolic links of such a name do not count. */
export function locksIn(folder: string): number[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const number = entry.isFile() ? PATTERN.exec(entry.name)?.[1] : undefined;
    return number === undefined ? [] : [Number(number)];
  });
}

/** The highest number of a lock in the folder; 0 without locks. */
export const highestLock = (folder: string): number => Math.max(0, ...locksIn(folder));

/**
 * Creates the lock of this number, complete from the moment it appears.
 * @returns false if the number is taken
 */
export function createLock(folder: string, number: number, owner: Owner): boolean {
  const target = lockFile(folder, number);
  const temporary = join(folder, `.lock-${randomUUID()}`);
  try {
    writeFileSync(temporary, JSON.stringify(owner), { flag: 'wx' });
    linkSync(temporary, target);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    // NFS can report an error for a link that it has made.
    if (statSync(temporary, { throwIfNoEntry: false })?.nlink === 2) return true;
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error;
    return createWithoutLinks(target, owner);
  } finally {
    rmSync(temporary, { force: true });
  }
}

function createWithoutLinks(target: string, owner: Owner): boolean {
  try {
    writeFileSync(target, JSON.stringify(owner), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    // A lock without an owner would stay.
    rmSync(target, { force: true });
    throw error;
  }
}

const TEXT_OR_NULL = { type: ['string', 'null'] };

const FORMAT = new JsonFormat<Owner>('a lock', {
  type: 'object',
  required: ['pid', 'host', 'machine', 'started', 'since', 'tags'],
  properties: {
    // Signals to pid 0 and to negative numbers go to groups of processes.
    pid: { type: 'integer', minimum: 1, maximum: 2 ** 31 - 1 },
    host: { type: 'string' },
    machine: TEXT_OR_NULL,
    started: TEXT_OR_NULL,
    since: { type: 'string' },
    tags: { type: 'object', additionalProperties: { type: 'string' } },
  },
});

/** The owner that a lock names; undefined if the file is missing, incomplete or no lock. */
export function readLock(file: string): Owner | undefined {
  try {
    return FORMAT.find(file);
  } catch (error) {
    if (MtcpError.is(error)) return undefined;
    throw error;
  }
}

/** Seconds since the file was written, by the clock of the file system; undefined if it is gone. */
export function secondsSilent(file: string): number | undefined {
  try {
    const written = statSync(file).mtimeMs;
    return Math.max(0, clockOf(file) - written) / 1000;
  } catch {
    return undefined;
  }
}

/** The current time by the clock of the file system that holds `file`: clocks of machines differ. */
function clockOf(file: string): number {
  const probe = `${file}.${randomUUID()}`;
  try {
    writeFileSync(probe, '', { flag: 'wx' });
    return statSync(probe).mtimeMs;
  } catch {
    return Date.now();
  } finally {
    rmSync(probe, { force: true });
  }
}
