// Arc cosine, arc tangent and logarithm in WebAssembly, two numbers of double precision at a time, without branches. A
// branch that depends on a pixel is guessed wrong every other time, which costs more than computing both sides.
import { f64x2, i32, i64x2, op } from '../../support/wasm/instructions.js';
import { choose, type Keep, type Vector } from '../../support/wasm/vector.js';

export const add = (a: Vector, b: Vector): Vector => op('f64x2.add', a, b);
export const subtract = (a: Vector, b: Vector): Vector => op('f64x2.sub', a, b);
export const multiply = (a: Vector, b: Vector): Vector => op('f64x2.mul', a, b);
export const divide = (a: Vector, b: Vector): Vector => op('f64x2.div', a, b);
/** `a` where the mask has ones, elsewhere 0, also where `a` is no number. */
export const only = (mask: Vector, a: Vector): Vector => op('v128.and', mask, a);

/** c[0] + c[1] x + c[2] x^2 + ... */
const polynomial = (x: Vector, coefficients: readonly number[]): Vector =>
  coefficients
    .slice(0, -1)
    .reduceRight((sum, c) => add(f64x2(c), multiply(x, sum)), f64x2(coefficients.at(-1)!));

// asin(x) = x + x z P(z) / Q(z), z = x^2, for |x| <= 0.5: the coefficients of Sun's fdlibm, e_asin.c.
const ASIN_P = [
  0.16666666666666666, -0.3255658186224009, 0.20121253213486293, -0.04005553450067941, 0.0007915349942898145,
  3.479331075960212e-5,
];
const ASIN_Q = [1, -2.403394911734414, 2.0209457602335057, -0.6882839716054533, 0.07703815055590194];

/** @param x -1 to 1; @returns radians */
export function acos(keep: Keep, x: Vector): Vector {
  const size = keep(op('f64x2.abs', x));
  // acos(x) = 2 asin(sqrt((1 - x) / 2)), where asin(x) is steep.
  const steep = keep(op('f64x2.gt', size, f64x2(0.5)));
  const z = keep(choose(steep, multiply(subtract(f64x2(1), size), f64x2(0.5)), multiply(size, size)));
  const root = keep(choose(steep, op('f64x2.sqrt', z), size));
  const quotient = divide(polynomial(z, ASIN_P), polynomial(z, ASIN_Q));
  const asin = keep(add(root, multiply(root, multiply(z, quotient))));
  const ofSize = keep(choose(steep, add(asin, asin), subtract(f64x2(Math.PI / 2), asin)));
  return choose(op('f64x2.lt', x, f64x2(0)), subtract(f64x2(Math.PI), ofSize), ofSize);
}

// atan(x) = x + x z P(z) / Q(z), z = x^2, for |x| <= 0.66: the coefficients of Moshier's Cephes, atan.c.
const ATAN_P = [
  -64.85021904942025, -122.88666844901361, -75.00855792314705, -16.157537187333652, -0.8750608600031904,
];
const ATAN_Q = [
  194.5506571482614, 485.3903996359137, 432.88106049129027, 165.02700983169885, 24.858464901423062, 1,
];

/** The angle of (x, y), both of them 0 or more; of (0, 0) it is 0. */
export function atan2(keep: Keep, y: Vector, x: Vector): Vector {
  const larger = op('f64x2.pmax', op('f64x2.pmax', x, y), f64x2(Number.MIN_VALUE));
  const ratio = keep(divide(op('f64x2.pmin', x, y), larger));
  // atan(r) = pi/4 + atan((r - 1) / (r + 1))
  const upper = keep(op('f64x2.gt', ratio, f64x2(0.66)));
  const shifted = divide(subtract(ratio, f64x2(1)), add(ratio, f64x2(1)));
  const r = keep(choose(upper, shifted, ratio));
  const z = keep(multiply(r, r));
  const quotient = divide(polynomial(z, ATAN_P), polynomial(z, ATAN_Q));
  const base = add(only(upper, f64x2(Math.PI / 4)), add(r, multiply(r, multiply(z, quotient))));
  const angle = keep(base);
  return choose(op('f64x2.gt', y, x), subtract(f64x2(Math.PI / 2), angle), angle);
}

// log(1 + f) = 2 s + s R(s^2), s = f / (2 + f), for sqrt(1/2) < 1 + f < sqrt(2): the coefficients of fdlibm, e_log.c.
const LOG_R = [
  0, 0.6666666666666735, 0.3999999999940942, 0.2857142874366239, 0.22222198432149784, 0.1818357216161805,
  0.15313837699209373, 0.14798198605116586,
];
const EXPONENT_BIAS = 1023;

/** @param x positive and not denormal */
export function log(keep: Keep, x: Vector): Vector {
  const bits = keep(x);
  const mantissa = keep(
    op('v128.or', op('v128.and', bits, i64x2(0xfffffffffffffn)), i64x2(BigInt(EXPONENT_BIAS) << 52n)),
  );
  // An integer in the low bits of 2^52 is 2^52 and that integer.
  const two52 = 0x4330000000000000n;
  const biased = op('v128.or', op('i64x2.shr_u', bits, i32(52)), i64x2(two52));
  const above = keep(op('f64x2.gt', mantissa, f64x2(Math.SQRT2)));
  const exponent = add(subtract(biased, f64x2(2 ** 52 + EXPONENT_BIAS)), only(above, f64x2(1)));
  const f = keep(subtract(choose(above, multiply(mantissa, f64x2(0.5)), mantissa), f64x2(1)));
  const s = keep(divide(f, add(f64x2(2), f)));
  const z = keep(multiply(s, s));
  const one = add(add(s, s), multiply(s, polynomial(z, LOG_R)));
  return add(multiply(exponent, f64x2(Math.LN2)), one);
}
