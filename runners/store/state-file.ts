// state.json of a checkpoint: everything that is not a tensor, the checksums of the other files, and its own
// checksum. Damage, even of a single bit, is detected before anything is used.
import { closeSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { MtcpError } from '../../registry/errors.js';
import { JsonFormat } from '../../registry/support/json-file.js';
import { openPlain } from '../../registry/support/plain-file.js';
import { writeWhole } from '../support/files.js';

/** Raised when checkpoints of older versions cannot be continued. */
const FORMAT = 4;

export const STATE = 'state.json';

interface StateFile<S> {
  format: number;
  /** CRC-32 of the other files. */
  files: Record<string, number>;
  state: S;
  /** CRC-32 of the rest, as JSON without blanks. */
  checksum: number;
}

const SUM = { type: 'integer', minimum: 0, maximum: 2 ** 32 - 1 };

const SHAPE = new JsonFormat<StateFile<unknown>>(
  'the state of a checkpoint',
  {
    type: 'object',
    required: ['format', 'files', 'state'],
    properties: {
      format: { type: 'integer' },
      files: { type: 'object', additionalProperties: SUM },
      state: { type: 'object' },
      checksum: SUM,
    },
  },
  { kind: 'weights' },
);

/** @param names of the files beside it, which are written already */
export function writeState(folder: string, names: readonly string[], state: object): void {
  const files = Object.fromEntries(names.map((name) => [name, checksumOf(join(folder, name))]));
  const content = { format: FORMAT, files, state };
  const checksum = crc32(JSON.stringify(content));
  writeWhole(join(folder, STATE), `${JSON.stringify({ ...content, checksum }, null, 1)}\n`);
}

/**
 * @throws MtcpError `weights` if the file is not there or damaged, or written by another version
 */
export function readState<S>(folder: string): { files: Record<string, number>; state: S } {
  const path = join(folder, STATE);
  const { format, files, state, checksum } = SHAPE.read(path) as StateFile<S>;
  if (checksum !== undefined && checksum !== crc32(JSON.stringify({ format, files, state })))
    throw new MtcpError('weights', 'is not what was written: its checksum is another', { where: path });
  if (format !== FORMAT)
    throw new MtcpError('weights', `was written in format ${format}, this version reads ${FORMAT}`, {
      where: folder,
      hint: 'mtcp run --fresh starts again; the folder is renamed, not deleted',
    });
  if (checksum === undefined) throw new MtcpError('weights', 'has lost its checksum', { where: path });
  return { files, state };
}

/**
 * What is wrong with a folder that has a state, and with the files that the state names; undefined if nothing is.
 * @param only these files; all if left out
 */
export function faultOf(folder: string, only?: readonly string[]): string | undefined {
  try {
    verifyFiles(folder, only);
    return undefined;
  } catch (error) {
    if (!MtcpError.is(error)) throw error;
    return error.where?.startsWith(folder) && error.where !== folder
      ? `${error.where.slice(folder.length + 1)} ${error.message}`
      : error.message;
  }
}

function verifyFiles(folder: string, only?: readonly string[]): void {
  const { files } = readState(folder);
  for (const name of only ?? Object.keys(files)) {
    const path = join(folder, name);
    if (files[name] !== checksumOf(path))
      throw new MtcpError('weights', 'has another checksum than when it was written', { where: path });
  }
}

/** CRC-32 of a file that may be larger than memory has room for. */
function checksumOf(path: string): number {
  const { file } = openPlain(path, { kind: 'weights' });
  try {
    const buffer = Buffer.allocUnsafe(1 << 20);
    let sum = 0;
    for (;;) {
      const count = readSync(file, buffer, 0, buffer.length, null);
      if (count === 0) return sum;
      sum = crc32(buffer.subarray(0, count), sum);
    }
  } finally {
    closeSync(file);
  }
}
