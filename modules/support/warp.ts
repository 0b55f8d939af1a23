// Geometry with OpenCV's conventions, so that augmented samples equal those of the published pipelines.
// Pixel centres lie at half-integers when resizing, at integers when warping; nothing is antialiased; cubic
// is Keys' kernel with a = -0.75. Like OpenCV, `warpAffine` finds source positions in fixed point: rounded to
// a pixel for nearest, to 1/32 of a pixel for cubic. Inputs are never changed.
import type { MapData } from '../../registry/index.js';
import { crossIndices, gather, movedIndices, nearestIndices, type Size } from './raster/nearest.js';
import { invertAffine, rotationMatrix, type Affine } from './raster/positions.js';
import { collect, ResampledRows, StoredRows, WarpedRows, type Rows } from './raster/rows.js';
import { fromMirrored, resizeTaps, warpTaps } from './raster/taps.js';
import { workspace, type Workspace } from './raster/workspace.js';

export { invertAffine, rotationMatrix, type Affine };

export type Interpolation = 'nearest' | 'cubic';

/**
 * Moves the content by `forward` (source to destination) on a canvas of the same size. Cubic gives float32,
 * nearest keeps the type.
 * @param outside what comes from outside; 0 for cubic
 */
export function warpAffine(
  map: MapData,
  forward: Affine,
  interpolation: Interpolation,
  outside = 0,
): MapData {
  const inverse = invertAffine(forward);
  if (interpolation === 'nearest') return taken(map, map, movedIndices(map, map, inverse, false), outside);
  const space = workspace();
  return collect(space, cubicRows(space, map, inverse));
}

/**
 * The rows of a map that is warped with cubic interpolation.
 * @param inverse destination to source
 * @param mirrored left and right of the map exchanged first
 */
export function cubicRows(space: Workspace, map: MapData, inverse: Affine, mirrored = false): Rows {
  const { width, height } = map;
  const [a, b, c, d, e, f] = inverse;
  // Without a rotation columns and rows can be taken one after the other.
  if (b !== 0 || d !== 0) return new WarpedRows(space, map, inverse, mirrored);
  const columns = warpTaps(width, a, c);
  return new ResampledRows(
    space,
    new StoredRows(space, map),
    mirrored ? fromMirrored(columns, width) : columns,
    warpTaps(height, e, f),
  );
}

/** A part of a map. */
export interface Window {
  top: number;
  left: number;
  height: number;
  width: number;
}

/**
 * OpenCV's resize. The same size gives the same map.
 * @param window the part of the resized map that is wanted, without making the rest
 */
export function resize(
  map: MapData,
  height: number,
  width: number,
  interpolation: Interpolation | 'linear',
  window: Window = { top: 0, left: 0, height, width },
): MapData {
  const { top, left } = window;
  const whole = window.height === height && window.width === width;
  if (map.height === height && map.width === width)
    return whole ? map : crop(map, top, left, window.height, window.width);
  if (interpolation === 'nearest') {
    const rows = nearestIndices(map.height, height).subarray(top, top + window.height);
    const columns = nearestIndices(map.width, width).subarray(left, left + window.width);
    return taken(map, window, crossIndices(rows, columns, map.width));
  }
  const space = workspace();
  const rows = resizeTaps(map.height, height, top, window.height, interpolation);
  const columns = resizeTaps(map.width, width, left, window.width, interpolation);
  return collect(space, new ResampledRows(space, new StoredRows(space, map), columns, rows));
}

function taken(map: MapData, { height, width }: Size, indices: Int32Array, outside = 0): MapData {
  const out = emptyLike(map, height, width);
  gather(map, indices, outside, out.data);
  return out;
}

/** A canvas of `fill` with the map, which must not be larger, in its centre; an odd rest goes below and right. */
export function padCentre(map: MapData, height: number, width: number, fill: number): MapData {
  const out = emptyLike(map, height, width);
  if (fill !== 0) out.data.fill(fill);
  copyRows(map, out, 0, 0, (height - map.height) >> 1, (width - map.width) >> 1, map.height, map.width);
  return out;
}

/** The part that `padCentre` put there: its inverse. */
export function cropCentre(map: MapData, height: number, width: number): MapData {
  if (map.height === height && map.width === width) return map;
  return crop(map, (map.height - height) >> 1, (map.width - width) >> 1, height, width);
}

export function crop(map: MapData, top: number, left: number, height: number, width: number): MapData {
  const out = emptyLike(map, height, width);
  copyRows(map, out, top, left, 0, 0, height, width);
  return out;
}

function copyRows(
  from: MapData,
  to: MapData,
  fromTop: number,
  fromLeft: number,
  toTop: number,
  toLeft: number,
  height: number,
  width: number,
): void {
  const { channels } = from;
  for (let y = 0; y < height; y++) {
    const start = ((fromTop + y) * from.width + fromLeft) * channels;
    const row = from.data.subarray(start, start + width * channels);
    to.data.set(row, ((toTop + y) * to.width + toLeft) * channels);
  }
}

function emptyLike({ channels, data }: MapData, height: number, width: number): MapData {
  const Values = data.constructor as new (length: number) => MapData['data'];
  return { height, width, channels, data: new Values(height * width * channels) };
}
