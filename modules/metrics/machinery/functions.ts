// Arc tangent and logarithm in WebAssembly, two numbers of double precision at a time, without branches. A
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

// atan(sqrt(z)) = sqrt(z) P(z) / Q(z) for 0 <= z <= 1, with a relative error below 2e-14: P / Q equals atan(sqrt(z)) / sqrt(z) at
// the zeros of a Chebyshev polynomial, where it was computed with 60 digits.
const ATAN_P = [
  0.9999999999999809, 2.027309518615294, 1.3762786019224715, 0.3587347598066033, 0.030013789465140717,
  0.00035473155271983816,
];
const ATAN_Q = [
  1, 2.3606428519439446, 1.9631595527689267, 0.6838498464226763, 0.09145544210464955, 0.0031365246863495635,
];

/** @param z 0 to 1; @returns the arc tangent of its square root in radians, times `scale` */
export function atanOfRoot(keep: Keep, z: Vector, scale: number): Vector {
  const square = keep(multiply(z, z));
  // Polynomials in z^2 whose coefficients are linear in z: fewer operations wait for the one before.
  const quick = (c: readonly number[]) =>
    [4, 2, 0]
      .map((i) => add(f64x2(c[i]), multiply(z, f64x2(c[i + 1]))))
      .reduce((sum, linear) => add(linear, multiply(square, sum)));
  const numerator = quick(ATAN_P.map((c) => scale * c));
  return multiply(op('f64x2.sqrt', z), divide(numerator, quick(ATAN_Q)));
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
