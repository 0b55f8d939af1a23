// What the errors of depth add up.
import { IGNORE } from '../../../registry/index.js';
import { f64x2, i32, op, type Statement } from '../../support/wasm/instructions.js';
import type { WasmModule } from '../../support/wasm/module.js';
import { choose, keeper, type Keep, type Vector } from '../../support/wasm/vector.js';
import { FIRST, overBytes, pair, SECOND, Sums } from './block.js';
import { add, divide, log, multiply, only, subtract } from './functions.js';

/** 65535 * 0.01 * 0.01: where the evaluation code of MTFormer and MT-CP stops. */
export const TRUNCATED = 6.5535;

/** Sums over pixels with a known depth. */
export const DEPTH_SUMS = [
  'count',
  'squares',
  'near',
  'nearSquares',
  'logs',
  'relative',
  'squaredRelative',
  'within1',
  'within2',
  'within3',
] as const;
export type DepthSums = Record<(typeof DEPTH_SUMS)[number], number>;

/** What each known pixel adds to the sums. */
function depthTerms(keep: Keep, raw: Vector, depth: Vector): DepthTerms {
  // Nothing keeps a prediction positive; what is not is read as next to nothing.
  const guess = keep(choose(op('f64x2.le', raw, f64x2(0)), f64x2(1e-9), raw));
  const error = keep(subtract(guess, depth));
  const squares = keep(multiply(error, error));
  const quotient = keep(divide(guess, depth));
  // The logarithm of what is no number would be some number.
  const logarithm = keep(add(log(keep, quotient), subtract(guess, guess)));
  const ratio = keep(op('f64x2.pmax', quotient, divide(f64x2(1), quotient)));
  const within = (power: number) => only(op('f64x2.lt', ratio, f64x2(1.25 ** power)), f64x2(1));
  const near = keep(op('f64x2.lt', depth, f64x2(TRUNCATED)));
  return {
    count: f64x2(1),
    squares,
    near: only(near, f64x2(1)),
    nearSquares: only(near, squares),
    logs: multiply(logarithm, logarithm),
    relative: divide(op('f64x2.abs', error), depth),
    squaredRelative: divide(squares, depth),
    within1: within(1),
    within2: within(2),
    within3: within(3),
  };
}
type DepthTerms = Record<(typeof DEPTH_SUMS)[number], Vector>;

/** Adds a function `depth` of the number of pixels: two maps of metres to DEPTH_SUMS. */
export function defineDepth(module: WasmModule): void {
  module.define('depth', ['i32'], (declare, pixels) => {
    const sums = new Sums(declare);
    const loop = overBytes(declare, op('i32.mul', pixels.get(), i32(4)), 8, (at) => {
      const statements: Statement[] = [];
      const keep = keeper(declare, statements);
      const label = keep(pair(at, SECOND));
      const unknown = op('v128.or', op('f64x2.eq', label, f64x2(IGNORE)), op('f64x2.le', label, f64x2(0)));
      const known = keep(op('v128.not', unknown));
      const terms = depthTerms(keep, keep(pair(at, FIRST)), label);
      return [...statements, ...DEPTH_SUMS.map((name) => sums.add(only(known, terms[name])))];
    });
    return [loop, sums.store()];
  });
}
