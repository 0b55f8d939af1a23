// PNG label maps: one channel whose numbers mean something, or three for a direction. Palette images give the
// index, not the colour. Interlaced images and those of 16 bits are decoded by a library, the usual ones here, where each
// byte is visited once.
import { decode, encode } from 'fast-png';
import { MtcpError, type MapData } from '../../../registry/index.js';
import { readBytes } from './file.js';
import { plainPng, storedPng } from './png-chunks.js';
import { unfilter } from './png-rows.js';

/** Reads a grey (1 to 16 bit) or palette PNG as [height, width, 1] of its stored numbers. */
export async function readLabelPng(file: string): Promise<MapData> {
  return parseLabelPng(await readBytes(file), file);
}

export function parseLabelPng(bytes: Uint8Array, where: string): MapData {
  const { width, height, depth, channels, data } = decodeOrFail(bytes, where);
  if (channels !== 1)
    throw new MtcpError('data', `is a PNG with ${channels} channels; a label map has one`, {
      where,
      hint: 'save class indices as an 8-bit grey or palette PNG',
    });
  if (depth === 16) return { height, width, channels: 1, data: Int32Array.from(data) };
  return { height, width, channels: 1, data: depth === 8 ? data : unpack(data, width, height, depth) };
}

/** Reads an 8-bit RGB PNG, also with an alpha channel, as [height, width, 3] bytes. */
export async function readRgbPng(file: string): Promise<MapData> {
  const { width, height, depth, channels, data } = decodeOrFail(await readBytes(file), file);
  if (channels < 3 || depth !== 8)
    throw new MtcpError(
      'data',
      `is a PNG of ${channels} channels with ${depth} bits; 3 with 8 were expected`,
      {
        where: file,
      },
    );
  if (channels === 3) return { height, width, channels, data };
  const rgb = new Uint8Array(3 * height * width);
  for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3) {
    rgb[to] = data[from];
    rgb[to + 1] = data[from + 1];
    rgb[to + 2] = data[from + 2];
  }
  return { height, width, channels: 3, data: rgb };
}

/** Numbers as they are stored; of fewer than 8 bits several in a byte. */
interface Decoded<Depth extends number, Data> {
  width: number;
  height: number;
  depth: Depth;
  channels: number;
  data: Data;
}

function decodeOrFail(
  bytes: Uint8Array,
  where: string,
): Decoded<1 | 2 | 4 | 8, Uint8Array> | Decoded<16, Uint16Array> {
  const refuse = (reason: string, cause?: unknown): never => {
    throw new MtcpError('data', `is not a whole PNG image (${reason})`, { where, cause });
  };
  const plain = plainPng(bytes);
  if (typeof plain === 'string') return refuse(plain);
  const { width, height, bits, samples: channels, interlaced, rows } = plain;
  if (bits < 8 && interlaced)
    throw new MtcpError('data', 'is an interlaced PNG of fewer than 8 bits, which is not read', {
      where,
      hint: 'save it with 8 bits or without interlacing',
    });
  if (bits < 16 && !interlaced) {
    const data = unfilter(
      rows,
      height,
      Math.ceil((width * channels * bits) / 8),
      Math.ceil((channels * bits) / 8),
    );
    if (typeof data === 'string') return refuse(data);
    return { width, height, depth: bits as 1 | 2 | 4 | 8, channels, data };
  }
  try {
    const { data, depth } = decode(storedPng(plain));
    return depth === 16
      ? { width, height, depth, channels, data: data as Uint16Array }
      : { width, height, depth: 8, channels, data: new Uint8Array(data) };
  } catch (cause) {
    return refuse((cause as Error).message, cause);
  }
}

/** Rows of 1, 2 or 4 bit numbers, each row starting at a byte, highest bits first. */
function unpack(packed: ArrayLike<number>, width: number, height: number, depth: number): Uint8Array {
  const data = new Uint8Array(width * height);
  const stride = Math.ceil((width * depth) / 8);
  const mask = (1 << depth) - 1;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      data[y * width + x] = (packed[y * stride + (bit >> 3)] >> (8 - depth - (bit & 7))) & mask;
    }
  return data;
}

/** An 8-bit grey PNG of [height, width] numbers. */
export function encodeLabelPng(data: Uint8Array, height: number, width: number): Uint8Array {
  return encode({ data, height, width, channels: 1, depth: 8 });
}

/** An 8-bit RGB PNG of [height, width, 3] bytes. */
export function encodeRgbPng(data: Uint8Array, height: number, width: number): Uint8Array {
  return encode({ data, height, width, channels: 3, depth: 8 });
}
