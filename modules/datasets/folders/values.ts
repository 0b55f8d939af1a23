// Numbers of label files to what they mean in memory. Typed arrays are slow to go through with a function (`from` and `map`
// call it for each of a map's 300,000 numbers, `from` by way of an iterator), so bytes get a table of all 256.
import { MtcpError, type MapData } from '../../../registry/index.js';

/** @throws MtcpError `data` for the first value that `allowed` refuses, saying where it is */
export function checkValues(
  map: MapData,
  allowed: (value: number) => boolean,
  { file, hint }: { file: string; hint: string },
): void {
  const { data } = map;
  const isAllowed = data instanceof Uint8Array ? tableOf((value) => Number(allowed(value))) : undefined;
  for (let i = 0; i < data.length; i++) {
    if (isAllowed ? isAllowed[data[i]] : allowed(data[i])) continue;
    const pixel = Math.floor(i / map.channels);
    const place = `row ${Math.floor(pixel / map.width)}, column ${pixel % map.width}`;
    throw new MtcpError('data', `the label at ${place} is ${data[i]}`, { where: file, hint });
  }
}

/** The map with `f` of each of its numbers, as bytes. */
export function toBytes(map: MapData, f: (value: number) => number): MapData {
  const { data } = map;
  const out = new Uint8Array(data.length);
  if (data instanceof Uint8Array) {
    const table = tableOf(f);
    for (let i = 0; i < out.length; i++) out[i] = table[data[i]];
  } else for (let i = 0; i < out.length; i++) out[i] = f(data[i]);
  return { ...map, data: out };
}

/** The vectors of an image of directions: 0..255 stand for -1..1. */
export function toVectors(bytes: MapData['data']): Float32Array {
  const table = Float32Array.from({ length: 256 }, (_, value) => (2 * value) / 255 - 1);
  const out = new Float32Array(bytes.length);
  for (let i = 0; i < out.length; i++) out[i] = table[bytes[i]];
  return out;
}

const tableOf = (f: (value: number) => number): Uint8Array =>
  Uint8Array.from({ length: 256 }, (_, value) => f(value));
