// Maps whose rows are computed when they are asked for, from top to bottom, in the memory of a workspace. A chain of them
// (stored map, warped, resized) keeps a few rows of each step, which stay in the processor's cache.
import type { MapData } from '../../../registry/index.js';
import { BORDER, POSITION_BITS, WEIGHT_BITS } from './kernels.js';
import { alongRow, rowPart, STEP_WEIGHTS, type Affine } from './positions.js';
import type { Taps } from './taps.js';
import type { Workspace } from './workspace.js';

export interface Rows {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Bytes of a stored map, float32 of what was computed. */
  readonly elements: 'bytes' | 'floats';
  /** The address of a row, valid until the next one is asked for. */
  row(y: number): number;
}

const sizeOf = { bytes: 1, floats: 4 } as const;
const elementsOf = (data: MapData['data']): 'bytes' | 'floats' =>
  data instanceof Uint8Array ? 'bytes' : 'floats';

/** Puts pixels of a map at an address, as they are or from right to left. */
function put(space: Workspace, at: number, map: MapData, y: number, mirrored: boolean): void {
  const { width, channels, data } = map;
  const length = width * channels;
  const to = data instanceof Uint8Array ? space.bytes(at, length) : space.floats(at, length);
  if (!mirrored) return to.set(data.subarray(y * length, (y + 1) * length));
  for (let x = 0, from = (y + 1) * length - channels; x < length; x += channels, from -= channels)
    for (let k = 0; k < channels; k++) to[x + k] = data[from + k];
}

/** A map in JavaScript's memory. */
export class StoredRows implements Rows {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly elements: 'bytes' | 'floats';
  readonly #ring: number;
  readonly #stride: number;

  /** @param mirrored left and right exchanged */
  constructor(
    private readonly space: Workspace,
    private readonly map: MapData,
    private readonly mirrored = false,
  ) {
    this.height = map.height;
    this.width = map.width;
    this.channels = map.channels;
    this.elements = elementsOf(map.data);
    this.#stride = Math.ceil((map.width * map.channels * sizeOf[this.elements] + 16) / 16) * 16;
    this.#ring = space.allocate(this.#stride);
  }

  row(y: number): number {
    put(this.space, this.#ring, this.map, y, this.mirrored);
    return this.#ring;
  }
}

/** Resized, or warped without a rotation: first along the rows that are needed, then down the columns. */
export class ResampledRows implements Rows {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly elements = 'floats';
  readonly #index: number;
  readonly #acrossWeights: number;
  readonly #downWeights: number;
  /** Addresses of the source's rows that were resized last, and which rows these are. */
  readonly #ring: readonly number[];
  readonly #held: number[];
  readonly #out: number;

  constructor(
    private readonly space: Workspace,
    private readonly source: Rows,
    private readonly columns: Taps,
    private readonly rows: Taps,
  ) {
    this.height = rows.index.length / rows.count;
    this.width = columns.index.length / columns.count;
    this.channels = source.channels;
    const pixel = source.channels * sizeOf[source.elements];
    this.#index = space.place(columns.index.map((x) => x * pixel));
    this.#acrossWeights = space.place(columns.weight);
    this.#downWeights = space.place(rows.weight);
    const length = 4 * this.width * this.channels;
    this.#ring = Array.from({ length: rows.count }, () => space.allocate(length));
    this.#held = this.#ring.map(() => -1);
    this.#out = space.allocate(length);
  }

  row(y: number): number {
    const { count, index } = this.rows;
    const at = (j: number) => this.#across(index[count * y + j]);
    const end = this.#out + 4 * this.width * this.channels;
    const weight = this.#downWeights + 4 * count * y;
    const { kernels } = this.space;
    if (count === 2) kernels.down2(this.#out, end, weight, at(0), at(1));
    else kernels.down4(this.#out, end, weight, at(0), at(1), at(2), at(3));
    return this.#out;
  }

  /** A row of the source, resized; those of one result are neighbours and so have slots of their own. */
  #across(y: number): number {
    const slot = y % this.#ring.length;
    const out = this.#ring[slot];
    if (this.#held[slot] === y) return out;
    this.#held[slot] = y;
    const { channels, source, columns } = this;
    const [from, step] = [source.row(y), 4 * channels];
    // Of more than four channels the last ones first: what they write too much is then overwritten.
    for (let first = (channels - 1) & ~3; first >= 0; first -= 4)
      this.space.kernels.across(
        source.elements,
        columns.count,
        from + first * sizeOf[source.elements],
        this.#index,
        this.#acrossWeights,
        out + 4 * first,
        out + step * this.width,
        step,
      );
    return out;
  }
}

/** Warped by any affine map, cubic, zeros outside: 16 pixels of the source for each one. */
export class WarpedRows implements Rows {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly elements = 'floats';
  readonly #from: 'bytes' | 'floats';
  readonly #pixel: number;
  readonly #stride: number;
  /** Of the source's first pixel, within its border of zeros. */
  readonly #source: number;
  readonly #alongX: number;
  readonly #alongY: number;
  readonly #weights: number;
  readonly #out: number;

  /**
   * @param inverse destination to source
   * @param mirrored left and right of the map exchanged first
   */
  constructor(
    private readonly space: Workspace,
    map: MapData,
    private readonly inverse: Affine,
    mirrored = false,
  ) {
    const { height, width, channels } = map;
    [this.height, this.width, this.channels] = [height, width, channels];
    this.#from = elementsOf(map.data);
    this.#pixel = channels * sizeOf[this.#from];
    // In whole numbers of float32.
    this.#stride = Math.ceil(((width + 2 * BORDER) * this.#pixel) / 4) * 4;
    const size = (height + 2 * BORDER) * this.#stride;
    const region = space.allocate(size);
    this.#source = region + BORDER * this.#stride + BORDER * this.#pixel;
    this.#alongX = space.place(alongRow(width, inverse[0]));
    this.#alongY = space.place(alongRow(width, inverse[3]));
    this.#weights = space.place(STEP_WEIGHTS);
    this.#out = space.allocate(4 * width * channels);
    space.bytes(region, size).fill(0);
    for (let y = 0; y < height; y++) put(space, this.#source + y * this.#stride, map, y, mirrored);
  }

  row(y: number): number {
    const [, b, c, , e, f] = this.inverse;
    const dropped = POSITION_BITS - WEIGHT_BITS;
    const step = 4 * this.channels;
    for (let first = (this.channels - 1) & ~3; first >= 0; first -= 4)
      this.space.kernels.warp(
        this.#from,
        this.#source + first * sizeOf[this.#from],
        this.#stride,
        this.#out + 4 * first,
        this.#out + step * this.width,
        step,
        this.#pixel,
        rowPart(b, y, c, dropped),
        rowPart(e, y, f, dropped),
        this.#alongX,
        this.#alongY,
        this.#weights,
        this.width,
        this.height,
      );
    return this.#out;
  }
}

/** Rows cut to bytes; see the kernels `clip` and `wrap`. Those that are bytes already stay as they are. */
export function asBytes(space: Workspace, rows: Rows, how: 'clip' | 'wrap'): Rows {
  if (rows.elements === 'bytes') return rows;
  const { height, width, channels } = rows;
  const length = width * channels;
  const out = space.allocate(length);
  return {
    height,
    width,
    channels,
    elements: 'bytes',
    row(y) {
      space.kernels[how](out, out + length, rows.row(y));
      return out;
    },
  };
}

/** All rows, as a map in JavaScript's memory: in `into` if it has the right size. */
export function collect(space: Workspace, rows: Rows, into?: Float32Array): MapData & { data: Float32Array } {
  const { height, width, channels } = rows;
  const length = width * channels;
  const data = into?.length === height * length ? into : new Float32Array(height * length);
  for (let y = 0; y < height; y++) {
    const at = rows.row(y);
    data.set(rows.elements === 'bytes' ? space.bytes(at, length) : space.floats(at, length), y * length);
  }
  return { height, width, channels, data };
}
