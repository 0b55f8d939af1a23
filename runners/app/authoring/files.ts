// Writes new files for users to edit. Existing files are never overwritten.
import { rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { MtcpError } from '../../../registry/errors.js';
import { asIoError } from '../../../registry/support/io-error.js';
import { makeFolder } from '../../../registry/support/make-folder.js';

export function writeNew(file: string, text: string): void {
  try {
    makeFolder(dirname(file));
    writeFileSync(file, text, { flag: 'wx' });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST')
      throw new MtcpError('usage', 'there is something of this name already; it is left as it is', {
        where: file,
        hint: 'choose another name, or remove it first',
        cause,
      });
    rmSync(file, { force: true });
    throw asIoError(cause, file);
  }
}
