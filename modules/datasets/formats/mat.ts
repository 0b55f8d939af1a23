// MATLAB's MAT files of version 5 (up to 7), which hold PASCAL-Part, PASCAL-Context and NYU's splits: a header,
// then one element for each variable, most of them deflated. Numbers stay in MATLAB's order, columns first;
// `rowMajor` turns a matrix into a map. Version 7.3 is HDF5, another format altogether (hdf5.ts).
import { deflateSync, inflateSync } from 'node:zlib';
import { MtcpError, type MapData } from '../../../registry/index.js';
import { MOST_INFLATED } from './budget.js';
import { readBytes } from './file.js';

export type MatValue = MatNumbers | MatText | MatStructs | MatCells;

export interface MatNumbers {
  kind: 'numbers';
  shape: readonly number[];
  /** Column-major. */
  data: Numbers;
}

export interface MatText {
  kind: 'text';
  text: string;
}

export interface MatStructs {
  kind: 'structs';
  shape: readonly number[];
  fields: readonly string[];
  /** In column-major order. */
  items: readonly Record<string, MatValue>[];
}

export interface MatCells {
  kind: 'cells';
  shape: readonly number[];
  items: readonly MatValue[];
}

type Numbers =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;
type NumbersClass = (new (buffer: ArrayBuffer, offset: number, length: number) => Numbers) & {
  readonly BYTES_PER_ELEMENT: number;
  readonly name: string;
};

const HEADER = 128;
/** Elements side by side; annotations have thousands. */
const MOST_ELEMENTS = 2 ** 18;
const [MI_MATRIX, MI_COMPRESSED] = [14, 15];
/** Storage types of numbers; 16 to 18 are UTF-8, UTF-16 and UTF-32. */
const STORAGE: Readonly<Record<number, NumbersClass>> = {
  1: Int8Array,
  2: Uint8Array,
  3: Int16Array,
  4: Uint16Array,
  5: Int32Array,
  6: Uint32Array,
  7: Float32Array,
  9: Float64Array,
  12: BigInt64Array,
  13: BigUint64Array,
  16: Uint8Array,
  17: Uint16Array,
  18: Uint32Array,
};
const [CELL, STRUCT, OBJECT, CHAR, SPARSE] = [1, 2, 3, 4, 5];
const [COMPLEX, LOGICAL] = [0x800, 0x200];

/** The variables of a file by name; with `only`, just that one is decoded. */
export async function readMat(file: string, only?: string): Promise<Record<string, MatValue>> {
  return parseMat(await readBytes(file), file, only);
}

export function parseMat(bytes: Uint8Array, where: string, only?: string): Record<string, MatValue> {
  const fail = (problem: string, hint?: string, cause?: unknown): never => {
    throw new MtcpError('data', problem, { where, hint, cause });
  };
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(HEADER, bytes.length)).toString(
    'latin1',
  );
  if (header.startsWith('MATLAB 7.3') || header.startsWith('\x89HDF'))
    return fail('is a MAT file of version 7.3 (HDF5); version 5 was expected', "in MATLAB: save(..., '-v7')");
  if (bytes.length < HEADER || header.slice(126, 128) !== 'IM')
    return fail('is not a MAT file of version 5 (its header is wrong)');
  try {
    const variables: Record<string, MatValue> = Object.create(null) as Record<string, MatValue>;
    let room = MOST_INFLATED;
    for (const element of elementsOf(bytes.subarray(HEADER))) {
      const inflated = element.type === MI_COMPRESSED ? inflate(element.data, room) : undefined;
      room -= inflated?.length ?? 0;
      const plain = inflated ? elementsOf(inflated)[0] : element;
      if (plain?.type !== MI_MATRIX) continue;
      const name = nameOf(plain.data);
      if (only === undefined || name === only) variables[name] = matrixOf(plain.data);
    }
    return variables;
  } catch (cause) {
    return fail(`cannot be read as a MAT file: ${(cause as Error).message}`, undefined, cause);
  }
}

function inflate(data: Uint8Array, most: number): Buffer {
  try {
    return inflateSync(data, { maxOutputLength: Math.max(1, most) });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') throw error;
    throw new Error(`it holds more than ${MOST_INFLATED} bytes when it is inflated`, { cause: error });
  }
}

interface Element {
  type: number;
  data: Uint8Array;
}

/** All elements in a block; the data of each is a view. */
function elementsOf(bytes: Uint8Array): Element[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const elements: Element[] = [];
  for (let at = 0; at + 8 <= bytes.length;) {
    const first = view.getUint32(at, true);
    const small = first >>> 16;
    const type = first & 0xffff;
    const size = small || view.getUint32(at + 4, true);
    const start = at + (small ? 4 : 8);
    if (start + size > bytes.length) throw new Error('it ends in the middle of an element');
    if (type === 0 || type > 18) throw new Error(`it has an element of an unknown kind (${type})`);
    if (elements.length === MOST_ELEMENTS) throw new Error(`it has more than ${MOST_ELEMENTS} elements`);
    elements.push({ type, data: bytes.subarray(start, start + size) });
    // Elements begin at multiples of 8, except after compressed ones.
    at = small ? at + 8 : start + (type === MI_COMPRESSED ? size : Math.ceil(size / 8) * 8);
  }
  return elements;
}

function nameOf(matrix: Uint8Array): string {
  return textOf(elementsOf(matrix)[2]?.data ?? new Uint8Array());
}

function matrixOf(bytes: Uint8Array): MatValue {
  // An empty matrix element stands for [].
  if (bytes.length === 0) return { kind: 'numbers', shape: [0, 0], data: new Uint8Array() };
  const [flags, dimensions, , ...rest] = elementsOf(bytes);
  if (!flags || !dimensions) throw new Error('a matrix has no size');
  const flag = numbersOf(flags)[0] as number;
  const shape = Array.from(numbersOf(dimensions) as Int32Array);
  const count = shape.reduce((a, b) => a * b, 1);
  // Whatever it is of, something of each is in the file.
  if (shape.length === 0 || shape.some((side) => !(side >= 0)) || count > bytes.length)
    throw new Error(`a matrix of size [${shape.join(', ')}] does not fit into ${bytes.length} bytes`);
  const kind = flag & 0xff;
  if (kind === CELL)
    return { kind: 'cells', shape, items: rest.slice(0, count).map(({ data }) => matrixOf(data)) };
  if (kind === STRUCT || kind === OBJECT)
    return structsOf(shape, count, kind === OBJECT ? rest.slice(1) : rest);
  if (kind === CHAR) return { kind: 'text', text: charactersOf(rest[0]) };
  if (kind === SPARSE || flag & COMPLEX)
    throw new Error('it holds a sparse or complex matrix, which is not read');
  if (kind > 15) throw new Error(`it holds a matrix of an unknown class (${kind})`);
  const data = rest[0] ? numbersOf(rest[0]) : new Uint8Array();
  if (data.length !== count) throw new Error(`a matrix holds ${data.length} numbers instead of ${count}`);
  return { kind: 'numbers', shape, data };
}

function structsOf(shape: number[], count: number, [length, names, ...values]: Element[]): MatStructs {
  if (!length || !names) throw new Error('a struct has no names of fields');
  const width = Number(numbersOf(length)[0]);
  if (!(width >= 1)) throw new Error('a struct has names without letters');
  const fields = Array.from({ length: Math.floor(names.data.length / width) }, (_, i) =>
    textOf(names.data.subarray(i * width, (i + 1) * width)),
  );
  if (values.length < count * fields.length) throw new Error('a struct has fewer values than fields');
  const items = Array.from({ length: count }, (_, i) =>
    Object.fromEntries(fields.map((field, k) => [field, matrixOf(values[i * fields.length + k].data)])),
  );
  return { kind: 'structs', shape, fields, items };
}

function numbersOf({ type, data }: Element): Numbers {
  const Values = STORAGE[type];
  if (!Values) throw new Error(`it holds numbers of an unknown type (${type})`);
  const size = Values.BYTES_PER_ELEMENT;
  const aligned = data.byteOffset % size === 0 ? data : data.slice();
  return new Values(aligned.buffer as ArrayBuffer, aligned.byteOffset, data.length / size);
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1').replace(/\0.*$/s, '');

function charactersOf(element: Element | undefined): string {
  if (!element) return '';
  if (element.type === 16) return Buffer.from(element.data).toString('utf8');
  return String.fromCodePoint(...Array.from(numbersOf(element) as Uint16Array));
}

/** A matrix of numbers as a [height, width, 1] map. */
export function rowMajor({ shape, data }: MatNumbers): MapData {
  const [height, width] = shape;
  const out = new (mapClass(data))(height * width);
  for (let x = 0, from = 0; x < width; x++)
    for (let y = 0; y < height; y++, from++) out[y * width + x] = Number(data[from]);
  return { height, width, channels: 1, data: out };
}

function mapClass(data: Numbers): Uint8ArrayConstructor | Float32ArrayConstructor | Int32ArrayConstructor {
  if (data instanceof Uint8Array) return Uint8Array;
  return data instanceof Float32Array || data instanceof Float64Array ? Float32Array : Int32Array;
}

/** What a file is written from; maps are row-major and become matrices. */
export type MatInput =
  | { kind: 'map'; height: number; width: number; data: Uint8Array | Uint16Array; logical?: boolean }
  | { kind: 'text'; text: string }
  | { kind: 'structs'; fields: readonly string[]; items: readonly Record<string, MatInput>[] };

export const matNumber = (value: number): MatInput => ({
  kind: 'map',
  height: 1,
  width: 1,
  data: Uint16Array.of(value),
});
export const matText = (text: string): MatInput => ({ kind: 'text', text });
export const matStructs = (
  fields: readonly string[],
  items: readonly Record<string, MatInput>[],
): MatInput => ({ kind: 'structs', fields, items });

/** A MAT file of version 7: version 5 with deflated elements. */
export function encodeMat(variables: Record<string, MatInput>): Uint8Array {
  const header = Buffer.alloc(HEADER, ' ');
  header.write('MATLAB 5.0 MAT-file, written by mtcp', 'latin1');
  header.fill(0, 116, 124);
  header.writeUInt16LE(0x0100, 124);
  header.write('IM', 126, 'latin1');
  const elements = Object.entries(variables).map(([name, value]) => {
    const deflated = deflateSync(matrix(value, name));
    return Buffer.concat([tag(MI_COMPRESSED, deflated.length), deflated]);
  });
  return Buffer.concat([header, ...elements]);
}

function matrix(value: MatInput, name = ''): Buffer {
  const parts = { map: mapParts, text: textParts, structs: structParts }[value.kind](value as never, name);
  const body = Buffer.concat(parts);
  return Buffer.concat([tag(MI_MATRIX, body.length), body]);
}

function mapParts({ height, width, data, logical }: MatInput & { kind: 'map' }, name: string): Buffer[] {
  const columns = new (data.constructor as Uint8ArrayConstructor)(data.length);
  for (let x = 0, to = 0; x < width; x++)
    for (let y = 0; y < height; y++) columns[to++] = data[y * width + x];
  const bytes = Buffer.from(columns.buffer);
  const wide = data instanceof Uint16Array;
  return [...head(wide ? 11 : 9, [height, width], name, logical ? LOGICAL : 0), element(wide ? 4 : 2, bytes)];
}

function textParts({ text }: MatInput & { kind: 'text' }, name: string): Buffer[] {
  return [...head(CHAR, [1, text.length], name), element(4, Buffer.from(text, 'utf16le'))];
}

function structParts({ fields, items }: MatInput & { kind: 'structs' }, name: string): Buffer[] {
  const width = 32;
  const names = Buffer.alloc(width * fields.length);
  fields.forEach((field, i) => names.write(field, i * width, 'latin1'));
  return [
    ...head(STRUCT, [1, items.length], name),
    element(5, int32(width)),
    element(1, names),
    ...items.flatMap((item) => fields.map((field) => matrix(item[field]))),
  ];
}

function head(kind: number, shape: number[], name: string, flags = 0): Buffer[] {
  return [
    element(6, int32(flags | kind, 0)),
    element(5, int32(...shape)),
    element(1, Buffer.from(name, 'latin1')),
  ];
}

const int32 = (...values: number[]): Buffer => Buffer.from(Int32Array.from(values).buffer);

function tag(type: number, size: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(type, 0);
  bytes.writeUInt32LE(size, 4);
  return bytes;
}

function element(type: number, data: Buffer): Buffer {
  return Buffer.concat([tag(type, data.length), data, Buffer.alloc((8 - (data.length % 8)) % 8)]);
}
