// The safetensors format: an 8-byte header length, a JSON header, the data. Written to a temporary name and
// renamed when whole.
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { MtcpError } from '../../registry/errors.js';
import type { HostArray, HostTensor } from '../engine/ort/session.js';

const DTYPES = { float32: 'F32', int32: 'I32' } as const;

interface HeaderEntry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

export function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, HostTensor>,
  metadata: Record<string, string> = {},
): void {
  const header: Record<string, HeaderEntry | Record<string, string>> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, { dtype, shape, data }] of tensors) {
    header[name] = {
      dtype: DTYPES[dtype],
      shape: [...shape],
      data_offsets: [offset, offset + data.byteLength],
    };
    offset += data.byteLength;
  }
  // Readers map the file into memory: data starts at a multiple of 8.
  let json = JSON.stringify(header);
  json += ' '.repeat(-Buffer.byteLength(json) & 7);
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(BigInt(Buffer.byteLength(json)));

  const temporary = `${path}.partial`;
  const file = openSync(temporary, 'w');
  try {
    writeAll(file, start);
    writeAll(file, Buffer.from(json));
    for (const { data } of tensors.values())
      writeAll(file, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;)
    done += writeSync(file, bytes, done, Math.min(bytes.length - done, 1 << 30));
}

/** @throws MtcpError `weights` if the file is cut off or not in this format */
export function readSafetensors(path: string): {
  tensors: Map<string, HostTensor>;
  metadata: Record<string, string>;
} {
  const bytes = readFileSync(path);
  const fault = (what: string) =>
    new MtcpError('weights', `${path}: ${what}`, {
      hint: 'the file is damaged or not a safetensors file; delete it and make or fetch it again',
    });
  if (bytes.length < 8) throw fault(`${bytes.length} bytes are too few`);
  const headerLength = Number(bytes.readBigUInt64LE(0));
  if (headerLength > bytes.length - 8)
    throw fault(`a header of ${headerLength} bytes does not fit a file of ${bytes.length}`);
  let header: Record<string, HeaderEntry>;
  try {
    header = JSON.parse(bytes.toString('utf8', 8, 8 + headerLength)) as Record<string, HeaderEntry>;
  } catch (cause) {
    throw new MtcpError('weights', `${path}: the header is not JSON`, { cause });
  }
  const { __metadata__: metadata = {}, ...entries } = header as unknown as Record<string, HeaderEntry> & {
    __metadata__?: Record<string, string>;
  };
  const tensors = new Map<string, HostTensor>();
  for (const [
    name,
    {
      dtype,
      shape,
      data_offsets: [from, to],
    },
  ] of Object.entries(entries)) {
    const count = shape.reduce((product, n) => product * n, 1);
    if (dtype !== 'F32' && dtype !== 'I32')
      throw fault(`"${name}" has type ${dtype}; only F32 and I32 are read`);
    if (to - from !== count * 4) throw fault(`"${name}" has ${to - from} bytes for ${shape.join('x')}`);
    if (8 + headerLength + to > bytes.length)
      throw fault(`"${name}" ends ${8 + headerLength + to - bytes.length} bytes behind the end of the file`);
    // A copy starts at a multiple of 4 whatever the header's length is.
    const copy = new Uint8Array(bytes.subarray(8 + headerLength + from, 8 + headerLength + to)).buffer;
    const data: HostArray = dtype === 'F32' ? new Float32Array(copy) : new Int32Array(copy);
    tensors.set(name, { data, shape, dtype: dtype === 'F32' ? 'float32' : 'int32' });
  }
  return { tensors, metadata };
}
