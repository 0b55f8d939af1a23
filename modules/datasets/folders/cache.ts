// The folder for data that can be made again: rendered data sets, and hashes of data folders.
import { homedir } from 'node:os';
import { join } from 'node:path';
import { MtcpError } from '../../../registry/index.js';
import { asIoError } from '../../../registry/support/io-error.js';

export function cacheFolder(): string {
  const { MTCP_CACHE, XDG_CACHE_HOME } = process.env;
  return MTCP_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'mtcp');
}

const MOVE = 'make room there, or set the environment variable MTCP_CACHE to a folder that can be written';

/** An error of writing into the cache, with what moves it; every other error as it is. */
export function asCacheError(error: unknown, path: string): unknown {
  const known = asIoError(error, path, MOVE);
  if (!MtcpError.is(known, 'io') || known.hint === MOVE) return known;
  return new MtcpError('io', known.message, { where: known.where ?? path, hint: MOVE, cause: error });
}
