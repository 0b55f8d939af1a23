// Nearest-neighbour geometry of labels: for each pixel of the result the index of the pixel that it is taken from. All
// labels of a sample move alike, so the indices are found once, and each label is visited once whatever happens to it.
import type { MapData } from '../../../registry/index.js';
import { POSITION_BITS } from './kernels.js';
import { alongRow, rowPart, type Affine } from './positions.js';

export interface Size {
  readonly height: number;
  readonly width: number;
}

/** Stands for a pixel that comes from outside. */
export const OUTSIDE = -1;

/** Source index of every destination index: floor(i * step), with OpenCV's rounding of the step. */
export function nearestIndices(from: number, to: number): Int32Array {
  const step = 1 / (to / from);
  const out = new Int32Array(to);
  for (let i = 0; i < to; i++) out[i] = Math.min(Math.floor(i * step), from - 1);
  return out;
}

/**
 * A map that is warped, then resized.
 * @param inverse of the warp, destination to source; undefined: none
 * @param mirrored left and right of the source exchanged first
 */
export function movedIndices(
  from: Size,
  to: Size,
  inverse: Affine | undefined,
  mirrored: boolean,
): Int32Array {
  const rows = nearestIndices(from.height, to.height);
  const columns = nearestIndices(from.width, to.width);
  if (inverse && (inverse[1] !== 0 || inverse[3] !== 0))
    return turnedIndices(from, rows, columns, inverse, mirrored);
  if (inverse) {
    const [a, , c, , e, f] = inverse;
    warpIndices(rows, from.height, e, f);
    warpIndices(columns, from.width, a, c);
  }
  if (mirrored)
    for (let x = 0; x < columns.length; x++)
      if (columns[x] !== OUTSIDE) columns[x] = from.width - 1 - columns[x];
  return crossIndices(rows, columns, from.width);
}

/** Replaces positions after a warp along one axis by those before it. */
function warpIndices(indices: Int32Array, size: number, factor: number, offset: number): void {
  const along = alongRow(size, factor);
  const row = rowPart(0, 0, offset, POSITION_BITS);
  for (let i = 0; i < indices.length; i++) {
    const source = (row + along[indices[i]]) >> POSITION_BITS;
    indices[i] = source >= 0 && source < size ? source : OUTSIDE;
  }
}

function turnedIndices(
  { height, width }: Size,
  rows: Int32Array,
  columns: Int32Array,
  [a, b, c, d, e, f]: Affine,
  mirrored: boolean,
): Int32Array {
  const out = new Int32Array(rows.length * columns.length);
  const [alongX, alongY] = [alongRow(width, a), alongRow(width, d)];
  for (let y = 0, to = 0; y < rows.length; y++) {
    const rowX = rowPart(b, rows[y], c, POSITION_BITS);
    const rowY = rowPart(e, rows[y], f, POSITION_BITS);
    for (let x = 0; x < columns.length; x++, to++) {
      const sx = (rowX + alongX[columns[x]]) >> POSITION_BITS;
      const sy = (rowY + alongY[columns[x]]) >> POSITION_BITS;
      const inside = sx >= 0 && sy >= 0 && sx < width && sy < height;
      out[to] = inside ? sy * width + (mirrored ? width - 1 - sx : sx) : OUTSIDE;
    }
  }
  return out;
}

/** Every row with every column of a source of that width. */
export function crossIndices(rows: Int32Array, columns: Int32Array, width: number): Int32Array {
  const out = new Int32Array(rows.length * columns.length);
  for (let y = 0, to = 0; y < rows.length; y++) {
    const start = rows[y] * width;
    if (rows[y] === OUTSIDE) out.fill(OUTSIDE, to, (to += columns.length));
    else
      for (let x = 0; x < columns.length; x++, to++) out[to] = columns[x] < 0 ? OUTSIDE : start + columns[x];
  }
  return out;
}

/**
 * The pixels that `indices` says. Numbers of four bytes are moved as bits where both sides have the same type: one loop that
 * always sees the same kind of array is several times faster than one that sees all.
 * @param out as many pixels as there are indices
 */
export function gather(
  { data, channels }: MapData,
  indices: Int32Array,
  outside: number,
  out: MapData['data'],
): void {
  if (!(data instanceof Uint8Array) && data.constructor === out.constructor)
    gatherBits(
      bitsOf(data),
      channels,
      indices,
      bitsOf(new (data.constructor as Float32ArrayConstructor)([outside]))[0],
      bitsOf(out),
    );
  else if (data instanceof Uint8Array && channels === 1 && out instanceof Int32Array)
    gatherBytes(data, indices, outside, out);
  else gatherAny(data, channels, indices, outside, out);
}

const bitsOf = ({ buffer, byteOffset, length }: MapData['data']): Int32Array =>
  new Int32Array(buffer, byteOffset, length);

function gatherBits(
  data: Int32Array,
  channels: number,
  indices: Int32Array,
  outside: number,
  out: Int32Array,
): void {
  if (channels === 1) {
    for (let i = 0; i < indices.length; i++) out[i] = indices[i] < 0 ? outside : data[indices[i]];
    return;
  }
  if (channels === 3) return gatherVectors(data, indices, outside, out);
  for (let i = 0, to = 0; i < indices.length; i++, to += channels) {
    const from = indices[i] * channels;
    for (let k = 0; k < channels; k++) out[to + k] = from < 0 ? outside : data[from + k];
  }
}

/** Three channels, without the inner loop. */
function gatherVectors(data: Int32Array, indices: Int32Array, outside: number, out: Int32Array): void {
  for (let i = 0, to = 0; i < indices.length; i++, to += 3) {
    const from = indices[i] * 3;
    if (from < 0) out[to] = out[to + 1] = out[to + 2] = outside;
    else {
      out[to] = data[from];
      out[to + 1] = data[from + 1];
      out[to + 2] = data[from + 2];
    }
  }
}

function gatherBytes(data: Uint8Array, indices: Int32Array, outside: number, out: Int32Array): void {
  for (let i = 0; i < indices.length; i++) out[i] = indices[i] < 0 ? outside : data[indices[i]];
}

function gatherAny(
  data: MapData['data'],
  channels: number,
  indices: Int32Array,
  outside: number,
  out: MapData['data'],
): void {
  for (let i = 0, to = 0; i < indices.length; i++, to += channels) {
    const from = indices[i] * channels;
    for (let k = 0; k < channels; k++) out[to + k] = from < 0 ? outside : data[from + k];
  }
}

/** Writes `outside` where a pixel comes from there, whatever was done to it. */
export function fillOutside(
  indices: Int32Array,
  channels: number,
  outside: number,
  out: MapData['data'],
): void {
  for (let i = 0; i < indices.length; i++) {
    if (indices[i] >= 0) continue;
    let end = i + 1;
    while (end < indices.length && indices[end] < 0) end++;
    out.fill(outside, i * channels, end * channels);
    i = end;
  }
}
