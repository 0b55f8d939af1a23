// Messages for errors of the file system: what failed, on which path, and what helps.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { MtcpError } from '../errors.js';

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be larger than this process may write',
  EROFS: 'the file system is read-only',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EISDIR: 'a folder is in the way',
  EEXIST: 'a file is in the way',
  ENOTEMPTY: 'a folder that is not empty is in the way',
  ENOENT: 'the folder is not there and cannot be made',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'a link leads back to itself',
  EMFILE: 'this process has too many files open',
  ENFILE: 'the system has too many files open',
  EIO: 'the disk reports an error',
};

const HINTS: Readonly<Record<string, string>> = {
  EMFILE: 'raise the limit with `ulimit -n`, or use fewer workers',
  ENFILE: 'close other programs, or use fewer workers',
};

const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/**
 * Errors of the file system as an MtcpError `io`; every other error as it is.
 * @param hint what helps, if the reason itself does not tell
 */
export function asIoError(error: unknown, path: string, hint?: string): unknown {
  if (MtcpError.is(error)) return error;
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  if (!code || !syscall) return error;
  const full = 'make room and run the same command again; it goes on from the last checkpoint';
  return new MtcpError('io', `cannot be written: ${REASONS[code] ?? (error as Error).message}`, {
    where: path,
    hint: HINTS[code] ?? hint ?? (FULL.has(code) ? full : undefined),
    cause: error,
  });
}

/**
 * A fault of the system that nobody nearer has put into words, with the path that the system names; undefined if the
 * error is none.
 */
export function systemFault(error: unknown): MtcpError | undefined {
  const { code, syscall, path, message } = (error ?? {}) as NodeJS.ErrnoException;
  if (code === 'ERR_MODULE_NOT_FOUND') return unopened(error as Error);
  if (MtcpError.is(error) || !code || !syscall) return undefined;
  if (syscall === 'uv_cwd')
    return new MtcpError('io', 'the working directory is not there any more', {
      hint: 'change to a folder that is there, for example with cd ~',
      cause: error,
    });
  const reason = REASONS[code] ?? message;
  return new MtcpError('io', `the system refuses (${syscall}): ${reason}`, {
    // The loader of modules names the file in the message only.
    where: path ?? /, \w+ '([^']+)'/.exec(message)?.[1],
    hint: HINTS[code],
    cause: error,
  });
}

/** Node's loader also says of a package that it is not there when it could not open the package's description. */
function unopened(error: Error): MtcpError | undefined {
  const folder = /^Cannot find package '([^']+)\/index\.js'/.exec(error.message)?.[1];
  if (folder === undefined || !existsSync(join(folder, 'package.json'))) return undefined;
  return new MtcpError(
    'io',
    'is there but cannot be opened; most likely this process has too many files open',
    {
      where: folder,
      hint: HINTS.EMFILE,
      cause: error,
    },
  );
}
