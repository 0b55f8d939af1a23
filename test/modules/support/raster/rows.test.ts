// Rows from WebAssembly against the same sums in plain JavaScript, to the last bit.
import { expect } from 'chai';
import { invertAffine, rotationMatrix } from '../../../../modules/support/raster/positions.js';
import {
  asBytes,
  collect,
  ResampledRows,
  StoredRows,
  WarpedRows,
} from '../../../../modules/support/raster/rows.js';
import { fromMirrored, resizeTaps, warpTaps, type Taps } from '../../../../modules/support/raster/taps.js';
import { workspace } from '../../../../modules/support/raster/workspace.js';
import { cubicRows } from '../../../../modules/support/warp.js';
import type { MapData } from '../../../../registry/contracts/data.js';
import { randomStream } from '../../../../registry/random.js';

function made(height: number, width: number, channels: number, bytes: boolean): MapData {
  const random = randomStream('rows', height, width, channels);
  const data = new (bytes ? Uint8Array : Float32Array)(height * width * channels);
  for (let i = 0; i < data.length; i++) data[i] = bytes ? random.integer(256) : 400 * random.normal();
  return { height, width, channels, data };
}

function flipped(map: MapData): MapData {
  const { width, channels } = map;
  const data = map.data.slice();
  for (let i = 0; i < data.length; i++) {
    const [pixel, k] = [Math.floor(i / channels), i % channels];
    const x = pixel % width;
    data[i] = map.data[(pixel - x + width - 1 - x) * channels + k];
  }
  return { ...map, data };
}

/** Sums in single precision, from the first tap to the last. */
function weighted(taps: Taps, i: number, value: (index: number) => number): number {
  const of = (k: number) =>
    Math.fround(taps.weight[taps.count * i + k] * value(taps.index[taps.count * i + k]));
  let sum = of(0);
  for (let k = 1; k < taps.count; k++) sum = Math.fround(sum + of(k));
  return sum;
}

function resampledAt({ width, channels, data }: MapData, columns: Taps, rows: Taps, i: number): number {
  const outWidth = columns.index.length / columns.count;
  const k = i % channels;
  const x = Math.floor(i / channels) % outWidth;
  const y = Math.floor(i / channels / outWidth);
  const across = (row: number) =>
    weighted(columns, x, (column) => data[(row * width + column) * channels + k]);
  return weighted(rows, y, across);
}

function resampled(map: MapData, columns: Taps, rows: Taps): number[] {
  const pixels = (rows.index.length / rows.count) * (columns.index.length / columns.count);
  return Array.from({ length: pixels * map.channels }, (_, i) => resampledAt(map, columns, rows, i));
}

describe('rows of maps', () => {
  for (const bytes of [true, false])
    for (const channels of [1, 2, 3, 4, 5, 9])
      it(`are resized as in plain JavaScript: ${channels} channels of ${bytes ? 'bytes' : 'floats'}`, () => {
        const map = made(7, 9, channels, bytes);
        for (const [interpolation, height, width] of [
          ['cubic', 11, 14],
          ['linear', 5, 4],
          ['linear', 16, 9],
        ] as const) {
          const columns = resizeTaps(9, width, 0, width, interpolation);
          const rows = resizeTaps(7, height, 0, height, interpolation);
          const space = workspace();
          const out = collect(space, new ResampledRows(space, new StoredRows(space, map), columns, rows));
          expect([...out.data]).to.deep.equal(resampled(map, columns, rows));
        }
      });

  it('can be taken of a mirrored map', () => {
    const map = made(6, 8, 3, true);
    const rows = warpTaps(6, 0.7, 0.4);
    const columns = warpTaps(8, 1.3, -1.6);
    const space = workspace();
    const mirrored = collect(
      space,
      new ResampledRows(space, new StoredRows(space, map), fromMirrored(columns, 8), rows),
    );
    expect([...mirrored.data]).to.deep.equal(resampled(flipped(map), columns, rows));
  });

  it('without a rotation are the same as by the general warp, to rounding, also of mirrored maps', () => {
    for (const bytes of [true, false]) {
      const map = made(12, 17, 3, bytes);
      const inverse = invertAffine(rotationMatrix(8.5, 6, 0, 1.3));
      for (const mirrored of [false, true]) {
        const [one, other] = [workspace(), workspace()];
        const fast = collect(one, cubicRows(one, map, inverse, mirrored));
        const general = collect(other, new WarpedRows(other, map, inverse, mirrored));
        const off = fast.data.map((value, i) => Math.abs(value - general.data[i]));
        expect(Math.max(...off)).to.be.below(2e-3);
      }
    }
  });

  it('are warped with zeros outside, far outside too, whatever the channels', () => {
    for (const channels of [1, 5]) {
      const map = made(5, 6, channels, false);
      const space = workspace();
      const shift = (by: number) => collect(space, new WarpedRows(space, map, [1, 0, by, 0, 1, 2 * by])).data;
      const at = (y: number, x: number) =>
        map.data.subarray((y * 6 + x) * channels, (y * 6 + x + 1) * channels);
      expect(shift(1).subarray(0, channels)).to.deep.equal(at(2, 1));
      for (const by of [20, -20, 1e5]) expect(Math.max(...shift(by).map(Math.abs))).to.equal(0);
    }
  });

  it('are cut to bytes that are clipped or wrap around', () => {
    const data = Float32Array.of(-300, -1.9, -0.5, 0, 0.99, 254.9, 255.9, 256, 511.5, NaN);
    const map: MapData = { height: 1, width: 10, channels: 1, data };
    const cut = (how: 'clip' | 'wrap') => {
      const space = workspace();
      return [...space.bytes(asBytes(space, new StoredRows(space, map), how).row(0), 10)];
    };
    expect(cut('clip')).to.deep.equal([0, 0, 0, 0, 0, 254, 255, 255, 255, 0]);
    expect(cut('wrap')).to.deep.equal([212, 255, 0, 0, 0, 254, 255, 0, 255, 0]);
  });

  it('need no more than a few rows of memory, and more of it for longer rows', () => {
    const map = made(3, 11_000, 4, false);
    const space = workspace();
    const columns = resizeTaps(11_000, 15_000, 0, 15_000, 'cubic');
    const rows = resizeTaps(3, 2, 0, 2, 'cubic');
    const out = collect(space, new ResampledRows(space, new StoredRows(space, map), columns, rows));
    for (const i of [0, 77_777, 119_999]) expect(out.data[i]).to.equal(resampledAt(map, columns, rows, i));
  });
});
