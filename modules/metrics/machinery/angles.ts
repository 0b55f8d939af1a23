// Angles between vectors as the evaluations of the field compute them.
import { f64x2, op } from '../../support/wasm/instructions.js';
import { choose, type Keep, type Vector } from '../../support/wasm/vector.js';
import { acos, add, atan2, divide, multiply, subtract } from './functions.js';

/** Angles are also counted by hundredths of a degree; behind them pixels of unknown label are. */
export const BINS = 18000;
export const ANGLE_LIMITS = [11.25, 22.5, 30] as const;
/** Sums over pixels with a known vector, in degrees, and how many are below a limit. */
export interface AngleSums {
  count: number;
  angles: number;
  squares: number;
  within: number[];
}

const DEGREES = 180 / Math.PI;
/** Added to lengths by ATRC's evaluation. */
const TINY = 1e-12;

export type Vector3 = readonly [Vector, Vector, Vector];

const dot = (a: Vector3, b: Vector3): Vector =>
  add(add(multiply(a[0], b[0]), multiply(a[1], b[1])), multiply(a[2], b[2]));
const norm = (a: Vector3): Vector => op('f64x2.sqrt', dot(a, a));

export type AngleForm = 'acos' | 'atan2';

/** Degrees between predicted and labelled vectors. */
export const ANGLES: Record<AngleForm, (keep: Keep, p: Vector3, g: Vector3) => Vector> = {
  acos(keep, p, g) {
    const lengths = keep(op('f64x2.sqrt', multiply(dot(p, p), dot(g, g))));
    const divisor = choose(op('f64x2.eq', lengths, f64x2(0)), f64x2(1), lengths);
    const cosine = divide(dot(p, g), divisor);
    const clipped = keep(op('f64x2.pmax', op('f64x2.pmin', cosine, f64x2(1)), f64x2(-1)));
    return multiply(acos(keep, clipped), f64x2(DEGREES));
  },
  atan2(keep, p, g) {
    const unit = (a: Vector3) => {
      const length = keep(add(norm(a), f64x2(TINY)));
      return a.map((x) => keep(divide(x, length)));
    };
    const [u, v] = [unit(p), unit(g)];
    const combined = (f: typeof add) => u.map((x, k) => keep(f(x, v[k]))) as unknown as Vector3;
    const angle = atan2(keep, keep(norm(combined(subtract))), keep(norm(combined(add))));
    return multiply(angle, f64x2(2 * DEGREES));
  },
};
