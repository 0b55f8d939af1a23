// A PNG reduced to what its pixels need, before it is decoded: every chunk is measured and its checksum compared,
// profiles and texts are left out, and the pixels are inflated here, to no more bytes than the size of the image
// has. So neither a size nor compressed data of any chunk can ask for memory or time that the image is not worth.
// The rows of ordinary images are then only to be unfiltered (png-rows.ts); of others a file is written again.
import { crc32, deflateSync, inflateSync } from 'node:zlib';
import { MOST_PIXELS } from './budget.js';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Most bytes that are inflated at a time: a map of the usual size in one step. */
const LARGEST_STEP = 2 ** 22;
/** Samples a pixel, by colour type. */
const SAMPLES: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const [HEADER, PALETTE, TRANSPARENCY, DATA, END] = ['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND'];

export interface PlainPng {
  width: number;
  height: number;
  /** Bits of a number. */
  bits: number;
  /** Numbers of a pixel; of a palette image one, the index. */
  samples: number;
  interlaced: boolean;
  /** What comes before the pixels. */
  head: readonly Chunk[];
  /** Inflated: a byte that names the filter and the filtered bytes of a row, for each row. */
  rows: Buffer;
}

/** @returns the image without what its pixels do not need, or what is wrong with the file */
export function plainPng(bytes: Uint8Array): PlainPng | string {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!SIGNATURE.equals(file.subarray(0, 8))) return 'its first bytes are wrong';
  const chunks = chunksOf(file);
  if (typeof chunks === 'string') return chunks;
  const header = chunks[0]?.type === HEADER ? chunks[0].data : undefined;
  if (header?.length !== 13 || chunks.filter(({ type }) => type === HEADER).length > 1)
    return 'it does not begin with its size';
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  if (width === 0 || height === 0) return `a size of ${width}x${height}`;
  if (width * height > MOST_PIXELS) return `${width}x${height} pixels; at most ${MOST_PIXELS} are read`;
  const samples = SAMPLES[header[9]];
  if (samples === undefined) return `an unknown colour type, ${header[9]}`;
  const bits = header[8];
  if (![1, 2, 4, 8, 16].includes(bits)) return `an unknown number of bits, ${bits}`;
  const row = 1 + Math.ceil((width * samples * bits) / 8);
  const interlaced = header[12] !== 0;
  // An interlaced image has seven smaller ones instead.
  const most = interlaced ? 2 * height * row + 7 * 8 : height * row;
  const data = chunks.filter(({ type }) => type === DATA).map((chunk) => chunk.data);
  const rows = inflate(data.length === 1 ? data[0] : Buffer.concat(data), most);
  if (typeof rows === 'string') return rows;
  if (!interlaced && rows.length < most) return `${most - rows.length} bytes of its pixels are missing`;
  const before = chunks.filter(({ type }) => type === PALETTE || type === TRANSPARENCY);
  return { width, height, bits, samples, interlaced, head: [chunks[0], ...before], rows };
}

/** A file with the same image, its data stored without compression. */
export function storedPng({ head, rows }: PlainPng): Uint8Array {
  return Buffer.concat([
    SIGNATURE,
    ...head.map(({ type, data }) => chunk(type, data)),
    chunk(DATA, deflateSync(rows, { level: 0 })),
    chunk(END, Buffer.alloc(0)),
  ]);
}

interface Chunk {
  type: string;
  data: Buffer;
}

/** All up to the end, or what is wrong with one. */
function chunksOf(file: Buffer): Chunk[] | string {
  const chunks: Chunk[] = [];
  for (let at = SIGNATURE.length; at + 12 <= file.length;) {
    const length = file.readUInt32BE(at);
    const type = file.toString('latin1', at + 4, at + 8);
    const end = at + 8 + length;
    if (end + 4 > file.length) return `it ends in the middle of its chunk ${printable(type)}`;
    if (crc32(file.subarray(at + 4, end)) !== file.readUInt32BE(end))
      return `its chunk ${printable(type)} has another checksum than when it was written`;
    if (type === END) return chunks;
    chunks.push({ type, data: file.subarray(at + 8, end) });
    at = end + 4;
  }
  return 'it has no end';
}

const printable = (type: string): string => (/^[A-Za-z]{4}$/.test(type) ? type : 'of an unknown kind');

function inflate(data: Buffer, most: number): Buffer | string {
  try {
    return inflateSync(data, {
      maxOutputLength: most,
      chunkSize: Math.max(64, Math.min(most, LARGEST_STEP)),
    });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ERR_BUFFER_TOO_LARGE' ? 'it holds more data than pixels' : `its data: ${message}`;
  }
}

function chunk(type: string, data: Uint8Array): Buffer {
  const whole = Buffer.alloc(12 + data.length);
  whole.writeUInt32BE(data.length, 0);
  whole.write(type, 4, 'latin1');
  whole.set(data, 8);
  whole.writeUInt32BE(crc32(whole.subarray(4, 8 + data.length)), 8 + data.length);
  return whole;
}
