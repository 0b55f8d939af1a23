// Photometric distortion as in mmsegmentation and ATRC: brightness, contrast, saturation and hue, each step on
// bytes, clipped and cut to whole numbers, saturation and hue by OpenCV's 8-bit HSV (hue in steps of 2 degrees).
// On the way back OpenCV takes 32 pixels of a row at a time and cuts their values to whole numbers; the pixels that
// are left at the end of the row are rounded. So does this: bytes are those of OpenCV on x86-64 with AVX2.
import type { MapData, RandomStream } from '../../../registry/index.js';
import { asBytes, StoredRows } from '../../support/raster/rows.js';
import { workspace, type Workspace } from '../../support/raster/workspace.js';

/** What is done; what is absent is not. */
export interface Distortion {
  /** Added. */
  brightness?: number;
  /** Factor, before saturation and hue or after them. */
  contrast?: number;
  contrastFirst: boolean;
  /** Factor on S. */
  saturation?: number;
  /** Added to H, modulo 180. */
  hue?: number;
}

/** Each part with probability one half. Draws nine numbers, always. */
export function drawDistortion(random: RandomStream): Distortion {
  const maybe = (low: number, high: number): number | undefined => {
    const [coin, u] = [random.uniform(), random.uniform()];
    return coin < 0.5 ? low + u * (high - low) : undefined;
  };
  const brightness = maybe(-32, 32);
  const contrastFirst = random.uniform() < 0.5;
  const contrast = maybe(0.5, 1.5);
  const saturation = maybe(0.5, 1.5);
  const shift = maybe(-18, 18);
  return { brightness, contrast, contrastFirst, saturation, hue: shift && Math.floor(shift) };
}

/** What a distortion does to a row of bytes; `after` is left to whoever uses the row. */
export class Distorter {
  readonly #before: Uint8Array | undefined;
  /** What every byte becomes in the end. */
  readonly after: Uint8Array | undefined;
  readonly #hue: number;

  constructor(
    private readonly space: Workspace,
    private readonly distortion: Distortion,
  ) {
    const { brightness, contrast, contrastFirst, saturation, hue } = distortion;
    const lighter = brightness === undefined ? undefined : scaled(1, brightness);
    const stronger = contrast === undefined ? undefined : scaled(contrast);
    const hasHsv = saturation !== undefined || hue !== undefined;
    // Without a colour space in between, all that happens to a byte is one table.
    const [first, last] = contrastFirst || !hasHsv ? [stronger, undefined] : [undefined, stronger];
    const before = lighter && first ? lighter.map((v) => first[v]) : (lighter ?? first);
    this.#before = hasHsv ? before : undefined;
    this.after = hasHsv ? last : before;
    this.#hue = hue === undefined ? 0 : ((hue % 180) + 180) % 180;
  }

  /** @param at address of a row of RGB bytes, which is changed */
  apply(at: number, width: number): void {
    const { saturation, hue } = this.distortion;
    const { kernels } = this.space;
    if (this.#before) {
      const row = this.space.bytes(at, 3 * width);
      for (let i = 0; i < row.length; i++) row[i] = this.#before[row[i]];
    }
    const [rest, end] = [at + 3 * (width - (width % BLOCK)), at + 3 * width];
    if (saturation !== undefined) {
      if (at < rest) kernels.saturateCut(at, rest, saturation);
      if (rest < end) kernels.saturateRound(rest, end, saturation);
    }
    if (hue !== undefined) {
      if (at < rest) kernels.turnCut(at, rest, this.#hue);
      if (rest < end) kernels.turnRound(rest, end, this.#hue);
    }
  }
}

/** @param image [H,W,3], 0..255; fractions are dropped first */
export function distort(image: MapData, distortion: Distortion): MapData {
  const { height, width, channels } = image;
  const space = workspace();
  const rows = asBytes(space, new StoredRows(space, image), 'clip');
  const distorter = new Distorter(space, distortion);
  const { after } = distorter;
  const length = 3 * width;
  const data = new Uint8Array(height * length);
  for (let y = 0; y < height; y++) {
    const at = rows.row(y);
    distorter.apply(at, width);
    const row = space.bytes(at, length);
    for (let i = 0; i < length; i++) data[y * length + i] = after ? after[row[i]] : row[i];
  }
  return { height, width, channels, data };
}

/** Every byte multiplied and added to, as OpenCV rounds. */
const scaled = (factor: number, add = 0): Uint8Array =>
  bytesOf((v) => Math.fround(Math.fround(v * Math.fround(factor)) + Math.fround(add)));

function bytesOf(f: (value: number) => number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, v) => Math.trunc(Math.max(0, Math.min(255, f(v)))));
}

/** Pixels of a row that OpenCV converts together. */
const BLOCK = 32;
