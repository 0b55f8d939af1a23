// NumPy's .npy: a magic string, a header that is the text of a Python dict ({'descr', 'fortran_order',
// 'shape'}), then the bare values. Format: numpy/lib/format.py, versions 1 to 3.
import { MtcpError } from '../../../registry/index.js';
import { halfToNumber } from '../../../registry/support/half.js';
import { readBytes } from './file.js';

export interface NpyArray {
  shape: number[];
  /** What the file says, e.g. "<f8"; `data` holds the nearest JavaScript type. */
  dtype: string;
  /** Row-major (C order), whatever the file's order. */
  data: Float32Array | Uint8Array | Int32Array;
}

interface Reader {
  size: number;
  make(length: number): NpyArray['data'];
  get(view: DataView, offset: number, little: boolean): number;
}

const floats = (length: number) => new Float32Array(length);
const bytes = (length: number) => new Uint8Array(length);
const integers = (length: number) => new Int32Array(length);

/** Kind and size of one value, as in the letters after the byte order of `descr`. */
const READERS: Readonly<Record<string, Reader>> = {
  f2: { size: 2, make: floats, get: (view, at, little) => halfToNumber(view.getUint16(at, little)) },
  f4: { size: 4, make: floats, get: (view, at, little) => view.getFloat32(at, little) },
  f8: { size: 8, make: floats, get: (view, at, little) => view.getFloat64(at, little) },
  b1: { size: 1, make: bytes, get: (view, at) => view.getUint8(at) },
  u1: { size: 1, make: bytes, get: (view, at) => view.getUint8(at) },
  u2: { size: 2, make: integers, get: (view, at, little) => view.getUint16(at, little) },
  i4: { size: 4, make: integers, get: (view, at, little) => view.getInt32(at, little) },
  i8: { size: 8, make: integers, get: (view, at, little) => Number(view.getBigInt64(at, little)) },
};

/**
 * Reads an array; 64-bit floats and halves become float32, 64-bit integers int32. Little-endian float32 and bytes stay
 * where the file was read to.
 */
export async function readNpy(file: string): Promise<NpyArray> {
  return parseNpy(await readBytes(file), file);
}

/** @param file is not written to later: the values may lie in it */
export function parseNpy(file: Uint8Array, where: string): NpyArray {
  const fail = (problem: string, hint?: string): never => {
    throw new MtcpError('data', problem, { where, hint });
  };
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < 10 || Buffer.from(file.subarray(0, 6)).toString('latin1') !== '\x93NUMPY')
    return fail('is not a .npy file (its first bytes are wrong)');
  const version = file[6];
  if (version < 1 || version > 3) return fail(`.npy version ${version} is unknown; 1, 2 and 3 are read`);
  const start = version === 1 ? 10 : 12;
  if (file.length < start) return fail('is truncated: it ends within the header');
  const begin = start + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (file.length < begin) return fail('is truncated: it ends within the header');

  const header = parseHeader(Buffer.from(file.subarray(start, begin)).toString('utf8'));
  if (!header) return fail('has a header that cannot be read', 'structured and object arrays are not read');
  const reader = READERS[header.dtype.slice(1)];
  if (!reader)
    return fail(
      `holds values of type "${header.dtype}", which is not read`,
      `save it as one of ${Object.keys(READERS).join(', ')}, e.g. array.astype('<f4')`,
    );
  const length = header.shape.reduce((product, side) => product * side, 1);
  if (header.shape.some((side) => side > 2 ** 31) || !Number.isSafeInteger(length * reader.size))
    return fail(`has a shape that no array has: [${header.shape}]`);
  const missing = begin + length * reader.size - file.length;
  if (missing > 0)
    return fail(`is truncated: shape [${header.shape}] of ${header.dtype} needs ${missing} more bytes`);
  if (missing < 0) return fail(`has ${-missing} bytes more than shape [${header.shape}] needs`);

  const data = readValues(view, begin, length, reader, header.dtype);
  if (header.dtype.endsWith('i8')) checkRange(view, begin, data, header.dtype, fail);
  return {
    shape: header.shape,
    dtype: header.dtype,
    data: header.fortran ? toRowMajor(data, header.shape, reader.make(length)) : data,
  };
}

function parseHeader(text: string): { dtype: string; fortran: boolean; shape: number[] } | undefined {
  const dtype = /'descr'\s*:\s*'([<>|=][a-zA-Z]\d+)'/.exec(text)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const shape = /'shape'\s*:\s*\(([\d\s,]*)\)/.exec(text)?.[1];
  if (dtype === undefined || order === undefined || shape === undefined) return undefined;
  return {
    dtype,
    fortran: order === 'True',
    shape: shape
      .split(',')
      .filter((side) => side.trim() !== '')
      .map(Number),
  };
}

function readValues(view: DataView, begin: number, length: number, reader: Reader, dtype: string) {
  const start = view.byteOffset + begin;
  // The two types of this field's data sets need no conversion, on machines with the usual byte order.
  if (reader.make === bytes) return new Uint8Array(view.buffer, start, length);
  if (dtype === '<f4' && LITTLE_ENDIAN)
    return start % 4 === 0
      ? new Float32Array(view.buffer, start, length)
      : new Float32Array(view.buffer.slice(start, start + 4 * length));
  const data = reader.make(length);
  const little = dtype[0] === '<' || (dtype[0] === '=' && LITTLE_ENDIAN);
  for (let i = 0; i < length; i++) data[i] = reader.get(view, begin + i * reader.size, little);
  return data;
}

function checkRange(
  view: DataView,
  begin: number,
  data: NpyArray['data'],
  dtype: string,
  fail: (problem: string) => never,
): void {
  for (let i = 0; i < data.length; i++) {
    const value = view.getBigInt64(begin + 8 * i, dtype[0] !== '>');
    if (value !== BigInt(data[i])) fail(`holds ${value}, which does not fit into 32 bits`);
  }
}

function toRowMajor(data: NpyArray['data'], shape: readonly number[], into: NpyArray['data']) {
  const index = new Array<number>(shape.length).fill(0);
  for (let from = 0; from < data.length; from++) {
    let to = 0;
    for (let axis = 0; axis < shape.length; axis++) to = to * shape[axis] + index[axis];
    into[to] = data[from];
    // In Fortran order the first index runs fastest.
    for (let axis = 0; axis < shape.length && ++index[axis] === shape[axis]; axis++) index[axis] = 0;
  }
  return into;
}

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** The file `numpy.save` writes for a C-ordered float32 array. */
export function encodeNpy(data: Float32Array, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': ${tuple}, }`;
  // The values start at a multiple of 64 bytes; the header ends in a newline.
  const begin = Math.ceil((10 + text.length + 1) / 64) * 64;
  const file = Buffer.alloc(begin + 4 * data.length, ' ');
  file.write('\x93NUMPY\x01\x00', 'latin1');
  file.writeUInt16LE(begin - 10, 8);
  file.write(text, 10, 'latin1');
  file.write('\n', begin - 1, 'latin1');
  const values = new DataView(file.buffer, file.byteOffset + begin);
  for (let i = 0; i < data.length; i++) values.setFloat32(4 * i, data[i], true);
  return file;
}
