// Which process owns a run folder. Processes on several machines may share a folder of runs, also over NFS. They
// coordinate through lock files only:
//
//   lock-1.json   the first owner
//   lock-2.json   the process that took over after the first had died, and so on
//
// The lock with the highest number names the owner. A lock is created as a hard link to a finished file, which is atomic
// on NFS too: it appears complete, and only if its name is free. If two processes take over at once, one of them fails.
// An owner rewrites its lock every 20 seconds. An owner on another machine counts as dead if its lock was not written
// for 10 minutes, unless a probe (for example one that asks a batch system) knows better.
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { MtcpError } from '../../../registry/errors.js';
import { makeFolder } from '../../../registry/support/make-folder.js';
import { asIoError } from '../../support/files.js';
import { requireOwn } from '../../support/own.js';
import {
  describeOwner,
  here,
  isSameProcess,
  sameMachine,
  unknownOwner,
  type Owner,
  type Probe,
} from './owner.js';
import {
  createLock,
  highestLock,
  identityOf,
  lockFile,
  locksIn,
  numberOf,
  readLock,
  secondsSilent,
} from './lock-files.js';

export interface LeaseOptions {
  /** Asked in order, before processes of this machine are looked up; the first that knows decides. */
  probes?: readonly Probe[];
  /** Written into the locks of this process. */
  tags?: Record<string, string>;
  /** Seconds without a sign of life after which an owner that no probe knows counts as gone. */
  silence?: number;
}

export interface Ownership {
  owner: Owner;
  alive: boolean;
  /** Number of owners that died, one after the other. */
  deaths: number;
  /** The lock. */
  file: string;
  /** Identifies the state of the lock that was read; see `identityOf`. */
  seen: string | undefined;
}

const DEFAULT_SILENCE = 600;
/** Seconds between signs of life. */
const BEAT = 20;
/** Attempts to take a folder while other processes take and release it. */
const ATTEMPTS = 1000;
/** How many times a higher lock is checked before it counts, and the milliseconds between two checks. */
const LOOKS = 4;
const PAUSE = 50;
/** Seconds during which an unreadable lock counts as being written. */
const WRITING = 10;

/** The owner of the folder, alive or dead; undefined if there is no lock. */
export function ownerOf(folder: string, options: LeaseOptions = {}): Ownership | undefined {
  // A lock that goes away between listing and reading was released: look again.
  for (let attempt = 0; attempt < 5; attempt++) {
    const number = highestLock(folder);
    if (number === 0) return undefined;
    const file = lockFile(folder, number);
    const seen = identityOf(file);
    const owner = readLock(file);
    if (owner) return ownership(owner, isAlive(owner, file, options), file, seen);
    // Not readable as a lock: being written where links do not exist, or damaged.
    const age = secondsSilent(file);
    if (age !== undefined) return ownership(unknownOwner(), age < WRITING, file, seen);
  }
  return undefined;
}

const ownership = (owner: Owner, alive: boolean, file: string, seen: Ownership['seen']): Ownership => ({
  owner,
  alive,
  deaths: numberOf(file) - Number(alive),
  file,
  seen,
});

export class Lease {
  #beat: NodeJS.Timeout | undefined;

  private constructor(
    readonly folder: string,
    readonly number: number,
    readonly owner: Owner,
  ) {
    this.#beat = setInterval(() => this.#touch(), BEAT * 1000);
    this.#beat.unref();
  }

  /**
   * Takes the folder for this process, made if it is not there; a folder whose owner is dead is taken over.
   * @returns the lease, or the owner that has the folder
   * @throws MtcpError `io` if the folder cannot be written, `usage` if something is in the way of the lock
   */
  static take(folder: string, options: LeaseOptions = {}): Lease | Ownership {
    try {
      makeFolder(folder);
      return Lease.#take(folder, options);
    } catch (error) {
      throw asIoError(error, folder);
    }
  }

  static #take(folder: string, options: LeaseOptions): Lease | Ownership {
    const owner: Owner = { ...here(), since: new Date().toISOString(), tags: options.tags ?? {} };
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const current = ownerOf(folder, options);
      if (current?.alive) return current;
      const number = (current ? numberOf(current.file) : 0) + 1;
      requireOwn(lockFile(folder, number), 'file');
      if (!createLock(folder, number, owner)) continue;
      // Another process may have taken over at the same time: the highest number wins. The lock of the dead owner must
      // be unchanged: otherwise another process took over, finished, and numbers began at 1 again.
      const same = current === undefined || identityOf(current.file) === current.seen;
      if (same && highestLock(folder) === number) return new Lease(folder, number, owner);
      rmSync(lockFile(folder, number), { force: true });
    }
    throw new MtcpError('io', 'cannot be locked: its lock files change all the time', {
      where: folder,
      hint: 'is a folder synchronised by another program? remove its lock-*.json and run the command again',
    });
  }

  /**
   * Checks that this process still owns the folder: after a long sleep another process may own it.
   * @throws MtcpError `busy`
   */
  assertHeld(): void {
    if (this.#isHeld()) return;
    const other = ownerOf(this.folder);
    throw new MtcpError(
      'busy',
      `this process was silent for so long that ${other ? describeOwner(other.owner) : 'another process'} took over the trial`,
      { where: this.folder },
    );
  }

  release(): void {
    clearInterval(this.#beat);
    this.#beat = undefined;
    // The locks of dead owners first: while this process's lock exists, the folder is not free.
    for (const number of locksIn(this.folder).filter((each) => each < this.number))
      rmSync(lockFile(this.folder, number), { force: true });
    if (this.#isOwn()) rmSync(lockFile(this.folder, this.number), { force: true });
  }

  /** A higher lock may belong to a process that is about to find that it came too late, so it is checked again. */
  #isHeld(): boolean {
    for (let look = 0; look < LOOKS; look++) {
      if (look > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
      if (!this.#isOwn()) return false;
      if (highestLock(this.folder) === this.number) return true;
    }
    return false;
  }

  #isOwn(): boolean {
    return isSameProcess(readLock(lockFile(this.folder, this.number)), this.owner);
  }

  /** A sign of life: rewrites the lock, so that the file server sets its time. */
  #touch(): void {
    try {
      if (!this.#isHeld()) return;
      const file = openSync(lockFile(this.folder, this.number), 'r+');
      try {
        writeSync(file, JSON.stringify(this.owner), 0);
      } finally {
        closeSync(file);
      }
    } catch {
      // The file server may be unreachable for a moment; the next beat tries again.
    }
  }
}

function isAlive(
  owner: Owner,
  file: string,
  { probes = [], silence = DEFAULT_SILENCE }: LeaseOptions,
): boolean {
  for (const probe of [...probes, sameMachine]) {
    const verdict = probe(owner);
    if (verdict) return verdict === 'alive';
  }
  const age = secondsSilent(file);
  return age !== undefined && age < silence;
}
