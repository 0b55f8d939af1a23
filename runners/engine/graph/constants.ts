// Constant folding: values in which all elements are one known number (`splat`), and arithmetic on such numbers in single
// precision, as an engine would compute it.
import type { Value } from './ir.js';

/** Elementwise operators of two inputs. */
export type Binary = 'Add' | 'Sub' | 'Mul' | 'Div' | 'Max' | 'Min' | 'Pow' | 'Mod' | 'PRelu';

/** The number that all elements of a constant are; undefined for other values. */
export function splatOf(value: Value): number | undefined {
  return value.constant && 'splat' in value.constant ? value.constant.splat : undefined;
}

/** The result of an operator on two numbers, rounded to single precision. */
export function foldBinary(name: Binary, x: number, y: number): number {
  const f = Math.fround;
  switch (name) {
    case 'Add':
      return f(x + y);
    case 'Sub':
      return f(x - y);
    case 'Mul':
      return f(x * y);
    case 'Div':
      return f(x / y);
    case 'Max':
      return Math.max(x, y);
    case 'Min':
      return Math.min(x, y);
    case 'Pow':
      return f(x ** y);
    case 'Mod':
      return x % y;
    case 'PRelu':
      return x < 0 ? f(x * y) : x;
  }
}
