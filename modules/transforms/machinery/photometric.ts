// Photometric distortion as in mmsegmentation and ATRC: brightness, contrast, saturation and hue, each step on
// bytes, clipped and cut to whole numbers, saturation and hue by OpenCV's 8-bit HSV (hue in steps of 2 degrees).
// On the way back OpenCV takes 32 pixels of a row at a time and cuts their values to whole numbers; the pixels that
// are left at the end of the row are rounded. So does this: bytes are those of OpenCV on x86-64 with AVX2.
import type { MapData, RandomStream } from '../../../registry/index.js';

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

/** @param image [H,W,3], 0..255; fractions are dropped first */
export function distort(
  { height, width, channels, data }: MapData,
  { brightness, contrast, contrastFirst, saturation, hue }: Distortion,
): MapData {
  const out = new Uint8Array(data.length);
  for (let i = 0; i < out.length; i++) {
    const value = Math.trunc(data[i]);
    out[i] = value < 0 ? 0 : value > 255 ? 255 : value;
  }
  const scale = (factor: number, add = 0) => {
    const table = bytesOf((v) => Math.fround(Math.fround(v * Math.fround(factor)) + Math.fround(add)));
    for (let i = 0; i < out.length; i++) out[i] = table[out[i]];
  };
  if (brightness !== undefined) scale(1, brightness);
  if (contrast !== undefined && contrastFirst) scale(contrast);
  if (saturation !== undefined) {
    const table = bytesOf((s) => Math.fround(s * Math.fround(saturation)));
    throughHsv(out, width, (hsv) => (hsv[1] = table[hsv[1]]));
  }
  if (hue !== undefined) throughHsv(out, width, (hsv) => (hsv[0] = (((hsv[0] + hue) % 180) + 180) % 180));
  if (contrast !== undefined && !contrastFirst) scale(contrast);
  return { height, width, channels, data: out };
}

function bytesOf(f: (value: number) => number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, v) => Math.trunc(Math.max(0, Math.min(255, f(v)))));
}

/** Fixed point of 12 bits: quotients by value and by range. */
const SHIFT = 12;
const BY_VALUE = Int32Array.from({ length: 256 }, (_, i) => (i === 0 ? 0 : roundEven((255 << SHIFT) / i)));
const BY_RANGE = Int32Array.from({ length: 256 }, (_, i) =>
  i === 0 ? 0 : roundEven((180 << SHIFT) / (6 * i)),
);

function roundEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

/** Which of (v, p, q, t) red, green and blue are in each sixth of the circle. */
const SECTORS = [
  [0, 3, 1],
  [2, 0, 1],
  [1, 0, 3],
  [1, 2, 0],
  [3, 1, 0],
  [0, 1, 2],
];

/** Pixels of a row that OpenCV converts together. */
const BLOCK = 32;

/** RGB to HSV, changed, and back, pixel by pixel. */
function throughHsv(rgb: Uint8Array, width: number, change: (hsv: Int32Array) => void): void {
  const hsv = new Int32Array(3);
  const table = new Float32Array(4);
  const inBlocks = width - (width % BLOCK);
  for (let i = 0; i < rgb.length; i += 3) {
    const r = rgb[i];
    const g = rgb[i + 1];
    const b = rgb[i + 2];
    const value = Math.max(r, g, b);
    const range = value - Math.min(r, g, b);
    const turn = value === r ? g - b : value === g ? b - r + 2 * range : r - g + 4 * range;
    const hue = (turn * BY_RANGE[range] + (1 << (SHIFT - 1))) >> SHIFT;
    hsv[0] = hue < 0 ? hue + 180 : hue;
    hsv[1] = (range * BY_VALUE[value] + (1 << (SHIFT - 1))) >> SHIFT;
    change(hsv);
    const s = Math.fround(hsv[1] * Math.fround(1 / 255));
    const v = Math.fround(value * Math.fround(1 / 255));
    const sixths = Math.fround(hsv[0] * Math.fround(6 / 180));
    const sector = Math.floor(sixths);
    const rest = Math.fround(sixths - sector);
    table[0] = v;
    // Products are not rounded before they are subtracted: a fused multiply-add.
    table[1] = v * Math.fround(1 - s);
    table[2] = v * Math.fround(1 - s * rest);
    table[3] = v * Math.fround(1 - s * Math.fround(1 - rest));
    const places = SECTORS[sector % 6];
    const toByte = (i / 3) % width < inBlocks ? Math.trunc : roundEven;
    for (let k = 0; k < 3; k++) rgb[i + k] = toByte(Math.fround(table[places[k]] * 255));
  }
}
