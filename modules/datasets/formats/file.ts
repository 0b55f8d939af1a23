// Reading and writing whole files. A file that is not there is the person's problem, so it is an MtcpError;
// a file that is written appears under its name only when all of it is on the disk.
import { open, readFile, rename, rm } from 'node:fs/promises';
import { MtcpError } from '../../../registry/index.js';

export async function readBytes(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new MtcpError('data', code === 'ENOENT' ? 'file not found' : `cannot be read (${code})`, {
      where: file,
      cause,
    });
  }
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
    throw new MtcpError('io', `cannot be written (${(cause as NodeJS.ErrnoException).code})`, {
      where: file,
      cause,
    });
  }
}
