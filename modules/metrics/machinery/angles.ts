// Angles between vectors as the evaluations of the field compute them. Both forms give two numbers a and b with
//
//   a / b = tan^2(angle / 2)      (1 - cos) / (1 + cos), or |u - v|^2 / |u + v|^2 of unit vectors u and v
//
// so from there on the same arc tangent serves both.
import { IGNORE } from '../../../registry/index.js';
import { f64x2, i32, load, op, store, storeLane, type Statement } from '../../support/wasm/instructions.js';
import type { WasmModule } from '../../support/wasm/module.js';
import { choose, keeper, type Keep, type Vector } from '../../support/wasm/vector.js';
import {
  BETWEEN,
  BETWEEN_BYTES,
  counted,
  FIRST,
  overBytes,
  SECOND,
  Sums,
  vectors,
  type Vector3,
} from './block.js';
import { add, atanOfRoot, divide, multiply, only, subtract } from './functions.js';

/** Angles are also counted by hundredths of a degree. */
export const BINS = 18000;
/** Each is a multiple of a hundredth, so that the histogram tells how many angles are below it. */
export const ANGLE_LIMITS = [11.25, 22.5, 30] as const;

export type AngleForm = 'acos' | 'atan2';

const DEGREES = 180 / Math.PI;
/** Added to lengths by ATRC's evaluation. */
const TINY = 1e-12;
/** Less than the product of two lengths in single precision, except zero. */
const LEAST = 1e-200;

const dot = (a: Vector3, b: Vector3): Vector =>
  add(add(multiply(a[0], b[0]), multiply(a[1], b[1])), multiply(a[2], b[2]));

/** The squared tangent of half the angle between predicted and labelled vectors: its numerator and denominator. */
const TANGENTS: Record<AngleForm, (keep: Keep, p: Vector3, g: Vector3) => [Vector, Vector]> = {
  acos(keep, p, g) {
    // A vector of length zero has a cosine of 0.
    const lengths = keep(op('f64x2.pmax', op('f64x2.sqrt', multiply(dot(p, p), dot(g, g))), f64x2(LEAST)));
    const cosine = keep(dot(p, g));
    // Rounding may make a cosine larger than 1.
    const positive = (x: Vector) => op('f64x2.pmax', x, f64x2(0));
    return [positive(subtract(lengths, cosine)), positive(add(lengths, cosine))];
  },
  atan2(keep, p, g) {
    const unit = (a: Vector3) => {
      const inverse = keep(divide(f64x2(1), add(op('f64x2.sqrt', dot(a, a)), f64x2(TINY))));
      return a.map((x) => keep(multiply(x, inverse)));
    };
    const [u, v] = [unit(p), unit(g)];
    const combined = (f: typeof add) => u.map((x, k) => keep(f(x, v[k]))) as unknown as Vector3;
    const [difference, sum] = [combined(subtract), combined(add)];
    return [dot(difference, difference), dot(sum, sum)];
  },
};

/**
 * Adds a function `form` of the number of pixels. It sums pixels with a known vector, their angles in degrees and the
 * squares of these, and counts angles in bins; unknown ones are in bin 0 too.
 */
export function defineAngles(module: WasmModule, form: AngleForm): void {
  module.define(form, ['i32'], (declare, pixels) => {
    const tangents = overBytes(declare, op('i32.mul', pixels.get(), i32(12)), 24, (at) => {
      const statements: Statement[] = [];
      const keep = keeper(declare, statements);
      const [p, g] = [vectors(keep, at, FIRST), vectors(keep, at, SECOND)];
      const known = op('f64x2.ne', g[0], f64x2(IGNORE));
      const to = op('i32.mul', at, i32(BETWEEN_BYTES / 24));
      const [a, b] = TANGENTS[form](keep, p, g).map(keep);
      // Both are 0 for two vectors of length zero by atan2, and so is then the angle.
      const larger = op('f64x2.pmax', op('f64x2.pmax', a, b), f64x2(LEAST));
      const left = [divide(op('f64x2.pmin', a, b), larger), op('f64x2.gt', a, b), known];
      return [...statements, ...left.map((value, i) => store(to, value, BETWEEN + 16 * i))];
    });
    const all = op('i32.mul', pixels.get(), i32(BETWEEN_BYTES / 2));
    const sums = new Sums(declare);
    const angles = overBytes(declare, all, BETWEEN_BYTES, (at) => {
      const statements: Statement[] = [];
      const keep = keeper(declare, statements);
      const [tangent, obtuse, known] = [0, 1, 2].map((i) => keep(load('v128.load', at, BETWEEN + 16 * i)));
      const acute = keep(atanOfRoot(keep, tangent, 2 * DEGREES));
      const angle = keep(only(known, choose(obtuse, subtract(f64x2(180), acute), acute)));
      // What is no number is in the last bin.
      const bin = op('f64x2.pmin', f64x2(BINS - 1), multiply(angle, f64x2(BINS / 180)));
      const addresses = op('i32x4.shl', op('i32x4.trunc_sat_f64x2_s_zero', bin), i32(2));
      return [
        ...statements,
        ...[only(known, f64x2(1)), angle, multiply(angle, angle)].map((term) => sums.add(term)),
        storeLane(64, at, addresses, 0, BETWEEN),
      ];
    });
    const counts = overBytes(declare, all, BETWEEN_BYTES, (at) => counted(declare, at, 2));
    return [tangents, angles, counts, sums.store()];
  });
}
