// JPEG photographs as PIL's Image.open(file).convert('RGB') gives them: no EXIF rotation, no colour
// management, grey repeated into three channels.
import sharp from 'sharp';
import { MtcpError, type MapData } from '../../../registry/index.js';
import { MOST_PIXELS } from './budget.js';
import { readBytes } from './file.js';

// Images are decoded in several worker threads, one image each: more threads below them only compete.
sharp.concurrency(1);
sharp.cache(false);

/** Reads a JPEG as [height, width, 3] bytes. */
export async function readJpeg(file: string): Promise<MapData> {
  return parseJpeg(await readBytes(file), file);
}

export async function parseJpeg(bytes: Uint8Array, where: string): Promise<MapData> {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8)
    throw new MtcpError('data', 'is not a JPEG image (its first bytes are wrong)', { where });
  try {
    const image = sharp(bytes, {
      failOn: 'truncated',
      ignoreIcc: true,
      autoOrient: false,
      limitInputPixels: MOST_PIXELS,
    });
    const { space } = await image.metadata();
    if (space === 'cmyk') throw new Error('it holds CMYK, not RGB or grey');
    const { data, info } = await image.toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
    // Copied out of the library's memory, so that it can be handed from thread to thread.
    return { height: info.height, width: info.width, channels: 3, data: new Uint8Array(data) };
  } catch (cause) {
    const reason = (cause as Error).message.trim().split('\n').at(-1);
    throw new MtcpError('data', `cannot be decoded as a JPEG image: ${reason}`, {
      where,
      hint: 'if the file is damaged or was not copied to the end, fetch it again',
      cause,
    });
  }
}

/** A JPEG of [height, width, 3] bytes, without chroma subsampling. */
export async function encodeJpeg(
  data: Uint8Array,
  height: number,
  width: number,
  quality: number,
): Promise<Uint8Array> {
  return sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality, chromaSubsampling: '4:4:4' })
    .toBuffer();
}
