// Who works on a folder. Processes on any number of machines share a folder of runs, perhaps over NFS, and agree
// through files alone:
//
//   lock-1.json   the first owner
//   lock-2.json   the process that took over after that one had died, and so on
//
// The owner is the highest number. A lock appears whole and only if its name is free (a hard link to a finished
// file, which NFS does atomically), so of two processes that both take over, one gets it. An owner touches its
// lock again and again; whether an owner of another machine still lives is read from that, unless a probe
// (such as one that asks a batch system) knows better.
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { MtcpError } from '../../../registry/errors.js';
import { JsonFormat } from '../../../registry/support/json-file.js';
import { makeFolder } from '../../../registry/support/make-folder.js';
import { asIoError } from '../../support/files.js';
import { requireOwn } from '../../support/own.js';

export interface Owner {
  pid: number;
  host: string;
  /** Boot and process namespace in which `pid` means something; null where the system does not say. */
  machine: string | null;
  /** When the process started, in the system's own ticks: tells it from a later one with the same pid. */
  started: string | null;
  /** ISO time at which the folder was taken. */
  since: string;
  /** What launchers add, for example the number of a batch job. */
  tags: Record<string, string>;
}

/** Says whether an owner still lives, if it can tell. */
export type Probe = (owner: Owner) => 'alive' | 'dead' | undefined;

export interface LeaseOptions {
  /** Asked in order, before the ones below; the first that knows decides. */
  probes?: readonly Probe[];
  /** Written into the locks of this process. */
  tags?: Record<string, string>;
  /** Seconds without a sign of life after which an owner that no probe knows counts as gone. */
  silence?: number;
}

export interface Ownership {
  owner: Owner;
  alive: boolean;
  /** Owners that died, one after the other. */
  deaths: number;
  /** The lock. */
  file: string;
  /** Which file it was when it was looked at. */
  seen: string | undefined;
}

/** More owners than this never follow each other; such a number is not a lock of mtcp. */
const PATTERN = /^lock-([1-9]\d{0,5})\.json$/;
const DEFAULT_SILENCE = 600;
/** Seconds between signs of life. */
const BEAT = 20;
/** Tries to take a folder that others release and take at the same time. */
const ATTEMPTS = 1000;
/** How often a lock that a higher one stands beside is looked at, and milliseconds between. */
const LOOKS = 4;
const PAUSE = 50;
/** Seconds that writing a lock may take. */
const WRITING = 10;

/** Who has the folder, alive or not; undefined if nobody does. */
export function ownerOf(folder: string, options: LeaseOptions = {}): Ownership | undefined {
  // A lock that goes away between listing and reading was released: look again.
  for (let attempt = 0; attempt < 5; attempt++) {
    const number = highest(folder);
    if (number === 0) return undefined;
    const file = lockFile(folder, number);
    const seen = identityOf(file);
    const owner = read(file);
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

/** Another one for a lock that was written again, a sign of life too; undefined if it is gone. */
function identityOf(file: string): string | undefined {
  const stat = statSync(file, { throwIfNoEntry: false, bigint: true });
  return stat && `${stat.ino} ${stat.mtimeNs} ${stat.ctimeNs}`;
}

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
   * @returns the lease, or who has the folder
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
    const owner: Owner = { ...self(), since: new Date().toISOString(), tags: options.tags ?? {} };
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const current = ownerOf(folder, options);
      if (current?.alive) return current;
      const number = (current ? numberOf(current.file) : 0) + 1;
      requireOwn(lockFile(folder, number), 'file');
      if (!create(folder, number, owner)) continue;
      // Somebody who saw the same folder a moment earlier may be ahead: the highest number has it. And the dead
      // owner must still be there: else somebody took over, was done, and the next one began from lock 1 again.
      const same = current === undefined || identityOf(current.file) === current.seen;
      if (same && highest(folder) === number) return new Lease(folder, number, owner);
      rmSync(lockFile(folder, number), { force: true });
    }
    throw new MtcpError('io', 'cannot be locked: its lock files change all the time', {
      where: folder,
      hint: 'is a folder synchronised by another program? remove its lock-*.json and run the command again',
    });
  }

  /**
   * Looks whether the folder is still this process's: after a long sleep somebody else may have it.
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
    // Dead owners first: while the own lock stands nobody else can think the folder free.
    for (const number of locksIn(this.folder).filter((each) => each < this.number))
      rmSync(lockFile(this.folder, number), { force: true });
    if (this.#isOwn()) rmSync(lockFile(this.folder, this.number), { force: true });
  }

  /** A higher lock may be that of somebody who is about to see that it came too late: it is looked at again. */
  #isHeld(): boolean {
    for (let look = 0; look < LOOKS; look++) {
      if (look > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
      if (!this.#isOwn()) return false;
      if (highest(this.folder) === this.number) return true;
    }
    return false;
  }

  #isOwn(): boolean {
    return sameProcess(read(lockFile(this.folder, this.number)), this.owner);
  }

  /** A sign of life: written again, so that the file server's clock dates it. */
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
      // A file server that is away for a moment; the next beat tries again.
    }
  }
}

export const describeOwner = ({ pid, host, since, tags }: Owner): string =>
  [
    `pid ${pid} on ${host}`,
    ...Object.entries(tags).map(([key, value]) => `${key} ${value}`),
    `since ${since}`,
  ].join(', ');

const lockFile = (folder: string, number: number): string => join(folder, `lock-${number}.json`);
const numberOf = (file: string): number => Number(/(\d+)\.json$/.exec(file)![1]);

/** Numbers of the locks: files that mtcp makes, no folders or links of such a name. */
function locksIn(folder: string): number[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const number = entry.isFile() ? PATTERN.exec(entry.name)?.[1] : undefined;
    return number === undefined ? [] : [Number(number)];
  });
}

const highest = (folder: string): number => Math.max(0, ...locksIn(folder));

/** False if the number is taken. */
function create(folder: string, number: number, owner: Owner): boolean {
  const target = lockFile(folder, number);
  const temporary = join(folder, `.lock-${randomUUID()}`);
  writeFileSync(temporary, JSON.stringify(owner), { flag: 'wx' });
  try {
    linkSync(temporary, target);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    // NFS may lose the answer to a link that was made.
    if (statSync(temporary).nlink === 2) return true;
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

/** Undefined if it is gone, being written, or not a lock. */
function read(file: string): Owner | undefined {
  try {
    return FORMAT.find(file);
  } catch (error) {
    if (MtcpError.is(error)) return undefined;
    throw error;
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

/** Knows the processes of this machine. */
const sameMachine: Probe = (owner) => {
  const here = self();
  if (owner.host !== here.host || owner.machine !== here.machine) return undefined;
  if (!exists(owner.pid)) return 'dead';
  return owner.started === startOf(owner.pid) ? 'alive' : 'dead';
};

/** Seconds since the file was written, by the clock of the file system; undefined if it is gone. */
function secondsSilent(file: string): number | undefined {
  try {
    const written = statSync(file).mtimeMs;
    return Math.max(0, clockOf(file) - written) / 1000;
  } catch {
    return undefined;
  }
}

/** Now, as the file system of `file` would date it: machines disagree about the time. */
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

let own: Pick<Owner, 'pid' | 'host' | 'machine' | 'started'> | undefined;

function self() {
  return (own ??= {
    pid: process.pid,
    host: hostname(),
    machine: machineHere(),
    started: startOf(process.pid),
  });
}

function sameProcess(a: Owner | undefined, b: Owner): boolean {
  return (
    a !== undefined && a.pid === b.pid && a.host === b.host && a.started === b.started && a.since === b.since
  );
}

function machineHere(): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return null;
  }
}

/** Field 22 of /proc/<pid>/stat; the second field is a name in parentheses that may hold anything. */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return null;
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

const unknownOwner = (): Owner => ({
  pid: 0,
  host: 'unknown',
  machine: null,
  started: null,
  since: 'unknown',
  tags: {},
});
