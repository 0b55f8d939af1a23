// Where the pixels of a warped map come from, with OpenCV's rounding: source positions are in fixed point, rounded to a
// pixel for nearest, to 1/32 of a pixel for cubic, which is Keys' kernel with a = -0.75.
import { POSITION_BITS, WEIGHT_BITS } from './kernels.js';

/** [a, b, c, d, e, f]: x' = a x + b y + c, y' = d x + e y + f. */
export type Affine = readonly [number, number, number, number, number, number];

/** OpenCV's getRotationMatrix2D: `degrees` counter-clockwise and `scale` about (x, y). */
export function rotationMatrix(x: number, y: number, degrees: number, scale: number): Affine {
  const cos = Math.cos((degrees * Math.PI) / 180) * scale;
  const sin = Math.sin((degrees * Math.PI) / 180) * scale;
  return [cos, sin, (1 - cos) * x - sin * y, -sin, cos, sin * x + (1 - cos) * y];
}

export function invertAffine([a, b, c, d, e, f]: Affine): Affine {
  const determinant = a * e - b * d;
  const [p, q, r, s] = [e / determinant, -b / determinant, -d / determinant, a / determinant];
  return [p, q, -p * c - q * f, r, s, -r * c - s * f];
}

/** Weights of the four pixels around a position `t` of the way from the second to the third. */
export function cubicWeights(t: number, into: Float32Array, at: number): void {
  const a = -0.75;
  const first = ((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a;
  const second = ((a + 2) * t - (a + 3)) * t * t + 1;
  const third = ((a + 2) * (1 - t) - (a + 3)) * (1 - t) * (1 - t) + 1;
  into[at] = first;
  into[at + 1] = second;
  into[at + 2] = third;
  into[at + 3] = 1 - first - second - third;
}

/** Fractions of a pixel that have cubic weights of their own, four each. */
export const STEPS = 1 << WEIGHT_BITS;
export const STEP_WEIGHTS = new Float32Array(4 * STEPS);
for (let step = 0; step < STEPS; step++) cubicWeights(step / STEPS, STEP_WEIGHTS, 4 * step);

const ONE = 1 << POSITION_BITS;

/** The part of source positions that depends on the destination column alone. */
export function alongRow(width: number, factor: number): Int32Array {
  const out = new Int32Array(width);
  for (let x = 0; x < width; x++) out[x] = Math.round(factor * x * ONE);
  return out;
}

/** The rest, in row y, with what rounds positions when `dropped` bits are cut off. */
export const rowPart = (factor: number, y: number, offset: number, dropped: number): number =>
  Math.round((factor * y + offset) * ONE) + (1 << (dropped - 1));
