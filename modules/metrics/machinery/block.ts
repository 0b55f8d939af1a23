// A block of pixels in the memory of the kernels: two maps of up to three channels, what one loop of a kernel leaves for the
// next, and what comes out: sums, and counts of a histogram. Kernels work in several short loops, which is faster than one
// long loop: the processor then has more pixels under way at a time, and counting does not hold up arithmetic.
import {
  i32,
  load,
  loadI32,
  op,
  repeatWhile,
  shuffle,
  store,
  storeI32,
  type Expression,
  type Statement,
} from '../../support/wasm/instructions.js';
import type { Declare } from '../../support/wasm/module.js';
import type { Keep, Vector } from '../../support/wasm/vector.js';
import { add } from './functions.js';

/** Pixels that are copied at a time; a multiple of 4. */
export const BLOCK = 1024;
export const CHANNELS = 3;
/** Kernels read up to 16 bytes more than a map has. */
export const SPARE = 16;

/** Addresses. */
export const FIRST = 0;
export const SECOND = BLOCK * 4 * CHANNELS + SPARE;
export const BETWEEN = 2 * SECOND;
/** For two pixels. */
export const BETWEEN_BYTES = 48;
export const SUMS = BETWEEN + (BLOCK / 2) * BETWEEN_BYTES + 2 * BETWEEN_BYTES;
/** As many sums as there may be, each in two halves. */
export const MOST_SUMS = 16;
export const COUNTS = SUMS + 16 * MOST_SUMS;
/** As many as an image's angles have bins. */
export const MOST_COUNTS = 18000;
/** Of 64 KiB. */
export const PAGES = Math.ceil((COUNTS + 4 * MOST_COUNTS) / (1 << 16));

/** Two numbers of single precision. */
export const pair = (at: Expression<'i32'>, offset: number): Vector =>
  op('f64x2.promote_low_f32x4', load('v128.load64_zero', at, offset));

export type Vector3 = readonly [Vector, Vector, Vector];

/** Six numbers of single precision: two vectors, by component. */
export function vectors(keep: Keep, at: Expression<'i32'>, offset: number): Vector3 {
  const [xy, zx, yz] = [0, 8, 16].map((bytes) => keep(pair(at, offset + bytes)));
  const half = (lane: number) => Array.from({ length: 8 }, (_, byte) => 8 * lane + byte);
  const halves = (a: Vector, b: Vector, i: number, k: number) =>
    keep(shuffle(a, b, [...half(i), ...half(k)]));
  return [halves(xy, zx, 0, 3), halves(xy, yz, 1, 2), halves(zx, yz, 0, 3)];
}

/** Sums over pixels, of as many terms as are added in the body of a loop. */
export class Sums {
  readonly #sums: Vector[] = [];

  constructor(private readonly declare: Declare) {}

  add(term: Vector): Statement {
    const sum = this.declare('v128');
    this.#sums.push(sum.get());
    return sum.set(add(sum.get(), term));
  }

  /** Puts them at SUMS in the order in which they were added, in two halves each. */
  store(): Statement {
    return { bytes: this.#sums.flatMap((sum, i) => store(i32(SUMS), sum, 16 * i).bytes) };
  }
}

/** Runs `body` at 0, `step`, 2 `step` and so on, as long as these are below `bytes`. */
export function overBytes(
  declare: Declare,
  bytes: Expression<'i32'>,
  step: number,
  body: (at: Expression<'i32'>) => readonly Statement[],
): Statement {
  const at = declare('i32');
  return repeatWhile(
    [...body(at.get()), at.set(op('i32.add', at.get(), i32(step)))],
    op('i32.lt_u', at.get(), bytes),
  );
}

/** Adds one to each count whose address, from COUNTS, lies at `at`. */
export function counted(declare: Declare, at: Expression<'i32'>, addresses: number): Statement[] {
  const count = declare('i32');
  return Array.from({ length: addresses }, (_, i) => [
    count.set(loadI32(at, BETWEEN + 4 * i)),
    storeI32(count.get(), op('i32.add', loadI32(count.get(), COUNTS), i32(1)), COUNTS),
  ]).flat();
}
