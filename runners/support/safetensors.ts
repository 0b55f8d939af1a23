// The safetensors format: an 8-byte header length, a JSON header, and the data. Files are written under a temporary
// name and renamed when complete. They are read tensor by tensor, directly into the target array, so that a
// checkpoint is never in memory twice.
import { closeSync, fsyncSync, openSync, readSync, renameSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { MtcpError } from '../../registry/errors.js';
import { halfToNumber, numberToHalf } from '../../registry/support/half.js';
import { openPlain } from '../../registry/support/plain-file.js';
import { asIoError, discard, requireReplaceable, temporaryName } from './files.js';
import { numbersIn, type HostTensor } from './host-tensor.js';
import { parseHeader, type Header } from './safetensors-header.js';

/** Types that are written, by the type of the numbers and how they are stored, with their bytes a number. */
const WRITTEN = {
  float32: { dtype: 'F32', bytes: 4 },
  int32: { dtype: 'I32', bytes: 4 },
  float16: { dtype: 'F16', bytes: 2 },
} as const;

/** Types that are read, with their bytes a number and whether they become float32 or int32. */
const STORED = {
  F64: { bytes: 8, as: 'float32', number: (view: DataView, at: number) => view.getFloat64(at, true) },
  F32: { bytes: 4, as: 'float32', number: (view: DataView, at: number) => view.getFloat32(at, true) },
  F16: {
    bytes: 2,
    as: 'float32',
    number: (view: DataView, at: number) => halfToNumber(view.getUint16(at, true)),
  },
  BF16: { bytes: 2, as: 'float32', number: (view: DataView, at: number) => bfloat(view.getUint16(at, true)) },
  I64: { bytes: 8, as: 'int32', number: (view: DataView, at: number) => Number(view.getBigInt64(at, true)) },
  I32: { bytes: 4, as: 'int32', number: (view: DataView, at: number) => view.getInt32(at, true) },
  I16: { bytes: 2, as: 'int32', number: (view: DataView, at: number) => view.getInt16(at, true) },
  U8: { bytes: 1, as: 'int32', number: (view: DataView, at: number) => view.getUint8(at) },
  I8: { bytes: 1, as: 'int32', number: (view: DataView, at: number) => view.getInt8(at) },
  BOOL: { bytes: 1, as: 'int32', number: (view: DataView, at: number) => view.getUint8(at) },
} as const satisfies Record<
  string,
  { bytes: number; as: HostTensor['dtype']; number: (view: DataView, at: number) => number }
>;

export type StoredType = keyof typeof STORED;

export interface StoredTensor {
  readonly dtype: StoredType;
  readonly shape: readonly number[];
}

/** From here on float16 is infinite. */
const HALF_LIMIT = 65520;
/** Bytes converted at a time, for types that are not stored as we hold them. */
const WINDOW = 1 << 20;
/** A header this long belongs to no model; it is garbage read as a length. */
const LONGEST_HEADER = 100 << 20;

interface HeaderEntry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** Name in the metadata of the CRC-32 of the header, with zeros in place of the checksum, and of all data after it. */
const CHECKSUM = 'crc32';
/** Where it stands in the header; a name cannot hold this text, for quotes in names are escaped. */
const PLACE = `"__metadata__":{"${CHECKSUM}":"`;

/** A tensor to be written; numbers that are made by a function are in memory one tensor at a time. */
export interface WritableTensor extends Omit<HostTensor, 'data'> {
  readonly data: HostTensor['data'] | (() => HostTensor['data']);
  /** Floats in 16 bits, in half the space; numbers beyond 65504 are refused. */
  readonly half?: boolean;
}

/** @throws MtcpError `io` if the file cannot be written; nothing is left of it then */
export function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, WritableTensor>,
  metadata: Record<string, string> = {},
): void {
  const header: Record<string, HeaderEntry | Record<string, string>> = {
    __metadata__: { [CHECKSUM]: hexadecimal(0), ...metadata },
  };
  let offset = 0;
  for (const [name, { dtype, shape, half }] of tensors) {
    const stored = WRITTEN[half && dtype === 'float32' ? 'float16' : dtype];
    const end = offset + stored.bytes * numbersIn(shape);
    header[name] = { dtype: stored.dtype, shape: [...shape], data_offsets: [offset, end] };
    offset = end;
  }
  // Readers map the file into memory: data starts at a multiple of 8.
  let json = JSON.stringify(header);
  json += ' '.repeat(-Buffer.byteLength(json) & 7);
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(BigInt(Buffer.byteLength(json)));

  const place = Buffer.byteLength(json.slice(0, json.indexOf(PLACE) + PLACE.length));
  const temporary = temporaryName(path);
  try {
    requireReplaceable(path);
    fill(openSync(temporary, 'wx'));
    renameSync(temporary, path);
  } catch (error) {
    discard(temporary);
    throw asIoError(error, path);
  }

  function fill(file: number): void {
    try {
      writeAll(file, start);
      const bytes = Buffer.from(json);
      writeAll(file, bytes);
      let sum = crc32(bytes);
      for (const [name, { dtype, data, half }] of tensors) {
        const whole = typeof data === 'function' ? data() : data;
        const numbers = half && dtype === 'float32' ? inHalf(name, whole) : whole;
        const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
        writeAll(file, bytes);
        sum = crc32(bytes, sum);
      }
      // Known only now; space for its digits is reserved in the header.
      writeSync(file, hexadecimal(sum), 8 + place);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  }
}

/** @throws MtcpError `usage` if a number is too large for 16 bits */
function inHalf(name: string, numbers: HostTensor['data']): Uint16Array {
  return Uint16Array.from(numbers, (value) => {
    if (Math.abs(value) < HALF_LIMIT || !Number.isFinite(value)) return numberToHalf(value);
    throw new MtcpError('usage', `${name} holds ${value}, which float16 cannot hold`, {
      hint: 'write it as float32',
    });
  });
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;)
    done += writeSync(file, bytes, done, Math.min(bytes.length - done, 1 << 30));
}

/** An open file; its header is checked as a whole when it is opened. */
export class SafetensorsFile {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly #file: number;
  readonly #places: ReadonlyMap<string, { position: number; bytes: number }>;
  readonly #data: { start: number; size: number };
  readonly #checksum: string | undefined;

  /** @throws MtcpError `weights` if the file is not there, cut off, damaged or not in this format */
  constructor(readonly path: string) {
    const { file, size } = openPlain(path, { kind: 'weights' });
    this.#file = file;
    try {
      const { entries, metadata, start } = this.#readHeader(size);
      this.tensors = new Map(
        [...entries].map(([name, { dtype, shape }]) => [name, { dtype: dtype as StoredType, shape }]),
      );
      this.#places = new Map(
        [...entries].map(([name, { from, to }]) => [name, { position: start + from, bytes: to - from }]),
      );
      const { [CHECKSUM]: checksum, ...own } = metadata;
      this.metadata = own;
      this.#checksum = checksum;
      this.#data = { start, size: size - start };
    } catch (error) {
      closeSync(this.#file);
      throw error;
    }
  }

  #readHeader(size: number): Header & { start: number } {
    if (size < 8) throw this.#fault(`${size} bytes are too few`);
    const begin = Buffer.alloc(8);
    this.#read(begin, 0);
    const length = Number(begin.readBigUInt64LE());
    if (length > Math.min(size - 8, LONGEST_HEADER))
      throw this.#fault(`a header of ${length} bytes does not fit a file of ${size}`);
    const text = Buffer.alloc(length);
    this.#read(text, 8);
    const header = parseHeader(text, size - 8 - length, STORED);
    if (typeof header === 'string') throw this.#fault(header);
    return { ...header, start: 8 + length };
  }

  /**
   * Compares the file with the checksum that mtcp writes into its own files; others have none.
   * @throws MtcpError `weights` if the file is not what was written
   */
  verify(): void {
    if (this.#checksum === undefined) return;
    const header = Buffer.alloc(this.#data.start - 8);
    this.#read(header, 8);
    header.write(hexadecimal(0), header.indexOf(PLACE) + PLACE.length, 'latin1');
    let sum = crc32(header);
    const window = new Uint8Array(Math.min(WINDOW, this.#data.size));
    for (let done = 0; done < this.#data.size; done += window.length) {
      const part = window.subarray(0, Math.min(window.length, this.#data.size - done));
      this.#read(part, this.#data.start + done);
      sum = crc32(part, sum);
    }
    if (hexadecimal(sum) !== this.#checksum)
      throw this.#fault('it is not what was written: its checksum is another');
  }

  #fault(what: string, cause?: unknown): MtcpError {
    return new MtcpError('weights', what, {
      where: this.path,
      hint: 'it is another kind of file, or damaged: then make or fetch it again',
      cause,
    });
  }

  /** Reads a tensor into an array that has its number of elements; other types of number are converted. */
  readInto(name: string, target: Float32Array | Int32Array): void {
    const { dtype } = this.tensors.get(name)!;
    const { position, bytes } = this.#places.get(name)!;
    const { bytes: size, number, as } = STORED[dtype];
    if (target.length * size !== bytes)
      throw this.#fault(`"${name}" has ${bytes / size} numbers, ${target.length} are wanted`);
    const sameType = target instanceof Float32Array ? dtype === 'F32' : dtype === 'I32';
    if (sameType) {
      this.#read(new Uint8Array(target.buffer, target.byteOffset, target.byteLength), position);
      return;
    }
    if (as === 'float32' && target instanceof Int32Array)
      throw this.#fault(`"${name}" has type ${dtype} where whole numbers are wanted`);
    const window = new Uint8Array(Math.min(WINDOW, bytes));
    const view = new DataView(window.buffer);
    for (let done = 0; done < bytes; done += window.length) {
      const part = window.subarray(0, Math.min(window.length, bytes - done));
      this.#read(part, position + done);
      for (let at = 0; at < part.length; at += size) target[(done + at) / size] = number(view, at);
    }
  }

  #read(into: Uint8Array, position: number): void {
    for (let done = 0; done < into.length;) {
      const count = readSync(this.#file, into, done, Math.min(into.length - done, 1 << 30), position + done);
      if (count === 0) throw this.#fault('it ended while it was read');
      done += count;
    }
  }

  /** A tensor in an array of its own: float32, or int32 where whole numbers are stored. */
  read(name: string): HostTensor {
    const { dtype, shape } = this.tensors.get(name)!;
    const size = numbersIn(shape);
    const { as } = STORED[dtype];
    const data = as === 'float32' ? new Float32Array(size) : new Int32Array(size);
    this.readInto(name, data);
    return { data, shape, dtype: as };
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** All tensors of a small file. */
export function readSafetensors(path: string): {
  tensors: Map<string, HostTensor>;
  metadata: Readonly<Record<string, string>>;
} {
  const file = new SafetensorsFile(path);
  try {
    const tensors = new Map([...file.tensors.keys()].map((name) => [name, file.read(name)]));
    return { tensors, metadata: file.metadata };
  } finally {
    file.close();
  }
}

const hexadecimal = (sum: number): string => sum.toString(16).padStart(8, '0');

const scratch = new DataView(new ArrayBuffer(4));

/** The upper half of a float32. */
function bfloat(bits: number): number {
  scratch.setUint32(0, bits << 16);
  return scratch.getFloat32(0);
}
