// Where the fixtures lie, and what mocha lacks: rejections as values.
import { fileURLToPath } from 'node:url';
import { MtcpError } from '../../registry/errors.js';

// Compiled tests run from dist/test/support.
const ROOT = new URL('../../../test/reference/', import.meta.url);

/** The absolute path of a file below test/reference. */
export function reference(path: string): string {
  return fileURLToPath(new URL(path, ROOT));
}

/** The MtcpError this promise is rejected with; anything else fails the test. */
export async function rejection(promise: Promise<unknown>): Promise<MtcpError> {
  try {
    await promise;
  } catch (error) {
    if (MtcpError.is(error)) return error;
    throw error;
  }
  throw new Error('expected an error, got a result');
}
