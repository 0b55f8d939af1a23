// Opens files of unknown origin only if they are plain files of a plausible size. Reading a pipe would block without
// end, a device never ends, and a Git LFS pointer is a short text instead of the file.
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, type Stats } from 'node:fs';
import { MtcpError, type ErrorKind } from '../errors.js';

export interface PlainFile {
  /** To be closed by the caller. */
  readonly file: number;
  readonly size: number;
}

export interface PlainOptions {
  /** Of the errors. */
  readonly kind: ErrorKind;
  /** Most bytes that are read. */
  readonly limit?: number;
  /** Also those that are not wrong in themselves, by the code of the system. */
  readonly hint?: string;
}

/** No text that mtcp reads is longer. */
const LONGEST_TEXT = 256 * 2 ** 20;

/**
 * Opens a file for reading; a link to one is fine.
 * @throws MtcpError of `kind` if it is not there, no plain file, too large, or a pointer of Git LFS
 */
export function openPlain(path: string, options: PlainOptions): PlainFile {
  const file = open(path, options);
  try {
    const stat = fstatSync(file);
    const problem = plainProblem(stat, options.limit);
    if (problem) throw new MtcpError(options.kind, problem, { where: path, hint: options.hint });
    const head = Buffer.alloc(Math.min(stat.size, LFS.length));
    readSync(file, head, 0, head.length, 0);
    if (isLfsPointer(head)) throw lfsError(path, options.kind);
    return { file, size: stat.size };
  } catch (error) {
    closeSync(file);
    throw MtcpError.is(error) ? error : unreadable(path, options, error);
  }
}

function open(path: string, options: PlainOptions): number {
  try {
    // Does not wait for another process to open the other end of a pipe.
    return openSync(path, READ);
  } catch (cause) {
    throw unreadable(path, options, cause);
  }
}

/** What lies at a path, links not followed; undefined if nothing does, also where a part of the path is a file. */
export function entryAt(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** How files are opened that may be anything. */
export const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** All of a text file. @throws MtcpError as `openPlain` does */
export function readText(path: string, options: PlainOptions): string {
  const { file, size } = openPlain(path, { limit: LONGEST_TEXT, ...options });
  try {
    const bytes = Buffer.alloc(size);
    let done = 0;
    for (let count = -1; count !== 0 && done < size; done += count)
      count = readSync(file, bytes, done, size - done, done);
    return bytes.toString('utf8', 0, done);
  } catch (cause) {
    throw unreadable(path, options, cause);
  } finally {
    closeSync(file);
  }
}

/** Why a file of this kind and size is not read; undefined if it is. */
export function plainProblem(
  stat: { isFile(): boolean; isDirectory(): boolean; size: number },
  limit = Infinity,
): string | undefined {
  if (stat.isDirectory()) return 'is a folder, not a file';
  if (!stat.isFile()) return 'is a pipe or a device, not a file';
  if (stat.size > limit) return `has ${stat.size} bytes, more than the ${limit} that are read`;
  return undefined;
}

/** How every pointer of Git LFS begins. */
const LFS = Buffer.from('version https://git-lfs.github.com/spec/');

export const isLfsPointer = (bytes: Uint8Array): boolean => LFS.equals(bytes.subarray(0, LFS.length));

export const lfsError = (path: string, kind: ErrorKind): MtcpError =>
  new MtcpError(kind, 'is a pointer of Git LFS: the file itself was not fetched', {
    where: path,
    hint: 'run `git lfs pull` in its repository, or fetch the file itself',
  });

const SCARCE = 'raise the limit with `ulimit -n`, or use fewer workers';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'file not found',
  ENOTDIR: 'file not found: a part of the path is a file',
  EACCES: 'cannot be read: permission denied',
  EPERM: 'cannot be read: permission denied',
  ELOOP: 'is a link that leads back to itself',
  ENXIO: 'is a socket or a device, not a file',
  EIO: 'cannot be read: the disk reports an error',
  EMFILE: 'cannot be read: this process has too many files open',
  ENFILE: 'cannot be read: the system has too many files open',
};

/** What to say of a path that is not there and that a shell would have read otherwise; undefined for every other. */
export function unexpanded(path: string): string | undefined {
  const part = path.split(/[/\\]/).find((each) => /^~|^\$\w/.test(each));
  return part === undefined
    ? undefined
    : `"${part}" is taken as it stands: only a shell makes a folder of it; write the whole path`;
}

/** An error of reading `path` in words. */
export function unreadable(path: string, { kind, hint }: PlainOptions, cause: unknown): MtcpError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const scarce = code === 'EMFILE' || code === 'ENFILE' ? SCARCE : undefined;
  return new MtcpError(kind, REASONS[code ?? ''] ?? `cannot be read (${code ?? message})`, {
    where: path,
    hint: scarce ?? (code === 'ENOENT' ? unexpanded(path) : undefined) ?? hint,
    cause,
  });
}
