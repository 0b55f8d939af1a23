// Reads and writes whole files. A missing file is reported to the user as an MtcpError. A written file appears under
// its name only when it is complete.
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { MtcpError } from '../../../registry/index.js';
import {
  isLfsPointer,
  lfsError,
  plainProblem,
  READ,
  unreadable,
} from '../../../registry/support/plain-file.js';
import { asIoError } from '../../../registry/support/io-error.js';
import { MOST_BYTES } from './budget.js';

/**
 * The memory of the bytes is their own.
 * @throws MtcpError `data` if the file is not there, no plain file, larger than any image is, or a pointer of Git LFS
 */
export async function readBytes(file: string): Promise<Buffer<ArrayBuffer>> {
  const options = { kind: 'data' } as const;
  let handle;
  try {
    // A pipe or a device is not waited for.
    handle = await open(file, READ);
  } catch (cause) {
    throw unreadable(file, options, cause);
  }
  try {
    const stat = await handle.stat();
    const problem = plainProblem(stat, MOST_BYTES);
    if (problem) throw new MtcpError('data', problem, { where: file });
    const bytes = await readAll(handle, stat.size);
    if (isLfsPointer(bytes)) throw lfsError(file, 'data');
    return bytes;
  } catch (error) {
    throw MtcpError.is(error) ? error : unreadable(file, options, error);
  } finally {
    await handle.close();
  }
}

/** In one step, where `FileHandle.readFile` takes half a megabyte at a time. */
async function readAll(handle: FileHandle, size: number): Promise<Buffer<ArrayBuffer>> {
  const bytes = Buffer.allocUnsafeSlow(size);
  let length = 0;
  while (length < size) {
    const { bytesRead } = await handle.read(bytes, length, size - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}

/** Writes to a temporary name, flushes to the disk and renames. */
export async function writeAtomically(file: string, bytes: Uint8Array | string): Promise<void> {
  const partial = `${file}.partial-${process.pid}`;
  try {
    const handle = await open(partial, 'w');
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(partial, file);
  } catch (cause) {
    await rm(partial, { force: true });
    throw asIoError(cause, file);
  }
}
