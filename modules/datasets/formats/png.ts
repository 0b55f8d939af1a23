// PNG label maps: one channel whose numbers mean something, or three for a direction. Palette images give the
// index, not the colour.
import { decode, encode } from 'fast-png';
import { MtcpError, type MapData } from '../../../registry/index.js';
import { readBytes } from './file.js';
import { essentialPng } from './png-chunks.js';

/** Reads a grey (1 to 16 bit) or palette PNG as [height, width, 1] of its stored numbers. */
export async function readLabelPng(file: string): Promise<MapData> {
  return parseLabelPng(await readBytes(file), file);
}

export function parseLabelPng(bytes: Uint8Array, where: string): MapData {
  const image = decodeOrFail(bytes, where);
  if (image.channels !== 1)
    throw new MtcpError('data', `is a PNG with ${image.channels} channels; a label map has one`, {
      where,
      hint: 'save class indices as an 8-bit grey or palette PNG',
    });
  const { width, height, depth } = image;
  if (depth === 16) return { height, width, channels: 1, data: Int32Array.from(image.data) };
  const data = depth === 8 ? new Uint8Array(image.data) : unpack(image.data, width, height, depth);
  return { height, width, channels: 1, data };
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
  const bytes = data as Uint8Array;
  if (channels === 3) return { height, width, channels, data: new Uint8Array(bytes) };
  const rgb = Uint8Array.from(
    { length: 3 * height * width },
    (_, i) => bytes[4 * Math.floor(i / 3) + (i % 3)],
  );
  return { height, width, channels: 3, data: rgb };
}

function decodeOrFail(bytes: Uint8Array, where: string): ReturnType<typeof decode> {
  const essential = essentialPng(bytes);
  if (typeof essential === 'string')
    throw new MtcpError('data', `is not a whole PNG image (${essential})`, { where });
  // Byte 24 of a PNG is the bit depth, byte 28 says whether it is interlaced.
  if (bytes[24] < 8 && bytes[28] === 1)
    throw new MtcpError('data', 'is an interlaced PNG of fewer than 8 bits, which is not read', {
      where,
      hint: 'save it with 8 bits or without interlacing',
    });
  try {
    return decode(essential);
  } catch (cause) {
    throw new MtcpError('data', `is not a whole PNG image (${(cause as Error).message})`, { where, cause });
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
