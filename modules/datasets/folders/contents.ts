// What is in the files of a data folder, by hash: the identity of the data. A file is read again only if its size or
// its times are not what they were; what was known is kept in the cache, never in the folder, which may be shared and
// read-only. So a look at 100,000 files costs what asking for their times costs.
//
//   CACHE/contents/folder-KEY    of a folder: for each file its hash, size and times
//   CACHE/contents/data-DIGEST   of a state of some data: for each file its hash, to tell later what changed
import { createHash } from 'node:crypto';
import {
  existsSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { readBytes } from '../formats/file.js';
import { cacheFolder } from './cache.js';
import { makeFolder } from '../../../registry/support/make-folder.js';

/** A file as it was when it was read. */
interface Known {
  readonly hash: string;
  /** Size and times; a change of any of them means that the file is read again. */
  readonly stamp: string;
}

export interface Contents {
  /** Path below the folder to the hash of the file. */
  readonly hashes: ReadonlyMap<string, string>;
  readonly warnings: string[];
}

/** Files read at once. */
const READERS = 8;
/** Files whose times are asked for before others get a turn. */
const AT_ONCE = 1000;
/** Milliseconds in which a file may change twice without another time: what is younger is read again next time. */
const UNSETTLED = 2000;
/** States of data, and folders, that are remembered. */
const REMEMBERED = 20;

const home = (): string => join(cacheFolder(), 'contents');

/**
 * @param names of files that exist, relative to the folder
 * @param report hears how many were read, if any have to be
 */
export async function contentsOf(
  root: string,
  names: readonly string[],
  report: (done: number, total: number, what: string) => void,
): Promise<Contents> {
  const key = createHash('sha256').update(realpathSync(root)).digest('hex').slice(0, 16);
  const path = join(home(), `folder-${key}`);
  const before = readKnown(path);
  const known = new Map<string, Known>();
  const unread: { name: string; stamp: string }[] = [];
  for (const [i, name] of names.entries()) {
    const stamp = stampOf(join(root, name));
    const old = before.get(name);
    if (old?.stamp === stamp) known.set(name, old);
    else unread.push({ name, stamp });
    if (i % AT_ONCE === AT_ONCE - 1) await setImmediate();
  }
  let done = 0;
  const queue = unread.values();
  const read = async () => {
    for (const { name, stamp } of queue) {
      const hash = createHash('sha256')
        .update(await readBytes(join(root, name)))
        .digest('base64url')
        .slice(0, 22);
      known.set(name, { hash, stamp: isSettled(stamp) ? stamp : '-' });
      if (++done % 100 === 0 || done === unread.length) report(done, unread.length, 'reading files');
    }
  };
  await Promise.all(Array.from({ length: READERS }, read));
  const warnings: string[] = [];
  const changed = unread.filter(
    ({ name }) => before.has(name) && before.get(name)!.hash !== known.get(name)!.hash,
  );
  if (changed.length > 0)
    warnings.push(`${root}: changed since mtcp saw them last: ${listed(changed.map(({ name }) => name))}`);
  if (before.size === 0) forget(/^folder-[0-9a-f]{16}$/);
  // Files of other splits or tasks stay known.
  const all = new Map([...before, ...known]);
  if (unread.length > 0 && !keep(path, linesOf(all)))
    warnings.push(
      `what is known about ${root} cannot be kept in ${home()}, so that its files are read again each time; MTCP_CACHE names another folder`,
    );
  return { hashes: new Map(names.map((name) => [name, known.get(name)!.hash])), warnings };
}

function stampOf(file: string): string {
  const { size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
  return `${size} ${mtimeNs} ${ctimeNs}`;
}

function isSettled(stamp: string): boolean {
  const [, mtime, ctime] = stamp.split(' ').map(Number);
  return Date.now() - Math.max(mtime, ctime) / 1e6 > UNSETTLED;
}

/** Keeps what a state of the data was made of; nothing depends on it but the words of `changesBetween`. */
export function remember(digest: string, hashes: ReadonlyMap<string, string>): void {
  const path = join(home(), `data-${digest}`);
  if (existsSync(path)) return;
  keep(
    path,
    [...hashes].map(([name, hash]) => `${hash} - ${name}`),
  );
  forget(/^data-[0-9a-f]{16}$/);
}

/**
 * Which files differ between two states of data, in words.
 * @returns undefined if one of them is not remembered
 */
export function changesBetween(before: string, now: string): string | undefined {
  const [old, own] = [before, now].map((digest) => readKnown(join(home(), `data-${digest}`)));
  if (old.size === 0 || own.size === 0) return undefined;
  const changed = [...own].filter(([name, { hash }]) => old.has(name) && old.get(name)!.hash !== hash);
  const added = [...own.keys()].filter((name) => !old.has(name));
  const gone = [...old.keys()].filter((name) => !own.has(name));
  const parts = [
    changed.length > 0 && `changed: ${listed(changed.map(([name]) => name))}`,
    added.length > 0 && `new: ${listed(added)}`,
    gone.length > 0 && `gone: ${listed(gone)}`,
  ].filter((part) => part !== false);
  return parts.length > 0 ? parts.join('; ') : 'the same files in other splits';
}

/** Names listed; the rest is counted. */
const LISTED = 5;

const listed = (names: readonly string[]): string =>
  names.slice(0, LISTED).join(', ') + (names.length > LISTED ? ` and ${names.length - LISTED} more` : '');

const linesOf = (known: ReadonlyMap<string, Known>): string[] =>
  [...known].map(([name, { hash, stamp }]) => `${hash} ${stamp} ${name}`);

const HEAD = 'mtcp contents 1';

/** @returns false if it cannot be kept: the cache is full or cannot be written */
function keep(path: string, lines: readonly string[]): boolean {
  const body = lines.map((line) => `${line}\n`).join('');
  const temporary = `${path}.partial-${process.pid}`;
  try {
    makeFolder(home());
    writeFileSync(temporary, `${HEAD} ${crc32(body)}\n${body}`);
    renameSync(temporary, path);
    return true;
  } catch {
    discard(temporary);
    return false;
  }
}

function discard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The cache is no folder.
  }
}

/** Empty if there is nothing, or if it is damaged: then the files are read again. */
function readKnown(path: string): Map<string, Known> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return new Map();
  }
  const end = text.indexOf('\n');
  const body = text.slice(end + 1);
  if (text.slice(0, end) !== `${HEAD} ${crc32(body)}`) return new Map();
  return new Map(
    body.split('\n').flatMap((line): [string, Known][] => {
      const match = /^(\S+) (\d+ \d+ \d+|-) (.+)$/.exec(line);
      return match ? [[match[3], { hash: match[1], stamp: match[2] }]] : [];
    }),
  );
}

/** Deletes the oldest of the files that are made here. */
function forget(pattern: RegExp): void {
  try {
    const files = readdirSync(home())
      .filter((name) => pattern.test(name))
      .map((name) => ({ path: join(home(), name), time: statSync(join(home(), name)).mtimeMs }))
      .sort((a, b) => a.time - b.time);
    for (const { path } of files.slice(0, -REMEMBERED)) rmSync(path, { force: true });
  } catch {
    // No cache, or another process was faster.
  }
}
