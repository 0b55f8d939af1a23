// Vectors in programs: choosing by masks, and intermediate results that are computed once.
import { op, type Expression, type Statement } from './instructions.js';
import type { Declare } from './module.js';

export type Vector = Expression<'v128'>;

/** Remembers an intermediate result: `keep(x)` computes it once, what it returns reads it. */
export type Keep = (value: Vector) => Vector;

/** @param statements where results are computed, in order */
export const keeper =
  (declare: Declare, statements: Statement[]): Keep =>
  (value) => {
    const local = declare('v128');
    statements.push(local.set(value));
    return local.get();
  };

/** `a` where the mask has ones. */
export const choose = (mask: Vector, a: Vector, b: Vector): Vector => op('v128.bitselect', a, b, mask);
