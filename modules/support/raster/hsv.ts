// Rows of RGB bytes through OpenCV's 8-bit HSV (hue in steps of 2 degrees) and back, four pixels at a time, with its
// rounding: fixed point on the way there, single precision with fused multiply-adds on the way back. Between the two,
// saturation is multiplied, or hue turned.
import type { Declare, Local, WasmModule } from '../wasm/module.js';
import {
  f32x4,
  f64x2,
  i32,
  i32x4,
  load,
  op,
  repeatWhile,
  shuffle,
  storeLane,
  type Statement,
} from '../wasm/instructions.js';
import { choose, keeper, type Keep, type Vector } from '../wasm/vector.js';

/** In place, on pixels from `at` to `end`; up to three more behind them are written, too. */
export interface HsvKernels {
  /** @param factor of what is clipped to bytes afterwards */
  saturateCut(at: number, end: number, factor: number): void;
  saturateRound(at: number, end: number, factor: number): void;
  /** @param degrees half of them, 0 to 179 */
  turnCut(at: number, end: number, degrees: number): void;
  turnRound(at: number, end: number, degrees: number): void;
}

/** Fixed point of 12 bits: quotients by value and by range. */
const SHIFT = 12;
const PIXELS = 4;

export function defineHsv(module: WasmModule): void {
  for (const [ending, round] of [
    ['Cut', (x: Vector) => x],
    // Halves go to the even neighbour.
    ['Round', (x: Vector) => op('f32x4.nearest', x)],
  ] as const) {
    module.define(`saturate${ending}`, ['i32', 'i32', 'f32'], (declare, at, end, factor) =>
      throughHsv(declare, at, end, round, (hue, saturation) => [
        hue,
        op(
          'f32x4.trunc',
          op('f32x4.min', op('f32x4.mul', saturation, op('f32x4.splat', factor.get())), f32x4(255)),
        ),
      ]),
    );
    module.define(`turn${ending}`, ['i32', 'i32', 'i32'], (declare, at, end, degrees) =>
      throughHsv(declare, at, end, round, (hue, saturation, keep) => {
        const turned = keep(op('i32x4.add', hue, op('i32x4.splat', degrees.get())));
        const beyond = op('i32x4.ge_s', turned, i32x4(180));
        return [op('i32x4.sub', turned, op('v128.and', beyond, i32x4(180))), saturation];
      }),
    );
  }
}

/**
 * @param round what comes before a result is cut to a whole number
 * @param change hue as whole numbers and saturation as float32, 0 to 255
 */
function throughHsv(
  declare: Declare,
  at: Local<'i32'>,
  end: Local<'i32'>,
  round: (x: Vector) => Vector,
  change: (hue: Vector, saturation: Vector, keep: Keep) => readonly [Vector, Vector],
): [...Statement[], Statement] {
  const here = at.get();
  const statements: Statement[] = [];
  const keep = keeper(declare, statements);
  const pixels = keep(load('v128.load', here));
  const channel = (k: number) =>
    keep(
      shuffle(
        pixels,
        f32x4(0),
        [0, 1, 2, 3].flatMap((pixel) => [3 * pixel + k, 16, 16, 16]),
      ),
    );
  const [r, g, b] = [channel(0), channel(1), channel(2)];
  const [h, s, value] = toHsv(keep, r, g, b);
  const [hue, saturation] = change(h, s, keep);
  const [red, green, blue] = fromHsv(keep, keep(hue), keep(saturation), value).map((x) =>
    keep(op('i32x4.trunc_sat_f32x4_s', round(op('f32x4.mul', x, f32x4(255))))),
  );
  const packed = op(
    'v128.or',
    red,
    op('v128.or', op('i32x4.shl', green, i32(8)), op('i32x4.shl', blue, i32(16))),
  );
  const lanes = [0, 1, 2, 3].flatMap((pixel) => [4 * pixel, 4 * pixel + 1, 4 * pixel + 2]);
  const result = keep(shuffle(packed, f32x4(0), [...lanes, 16, 16, 16, 16]));
  return [
    repeatWhile(
      [
        ...statements,
        storeLane(64, here, result, 0),
        storeLane(32, here, result, 2, 8),
        at.set(op('i32.add', here, i32(3 * PIXELS))),
      ],
      op('i32.lt_u', here, end.get()),
    ),
  ];
}

const add = (a: Vector, b: Vector): Vector => op('i32x4.add', a, b);
const subtract = (a: Vector, b: Vector): Vector => op('i32x4.sub', a, b);

/** @returns hue as whole numbers, saturation as float32, value as whole numbers */
function toHsv(keep: Keep, r: Vector, g: Vector, b: Vector): readonly [Vector, Vector, Vector] {
  const value = keep(op('i32x4.max_s', r, op('i32x4.max_s', g, b)));
  const range = keep(subtract(value, op('i32x4.min_s', r, op('i32x4.min_s', g, b))));
  const turn = choose(
    op('i32x4.eq', value, r),
    subtract(g, b),
    choose(
      op('i32x4.eq', value, g),
      add(subtract(b, r), op('i32x4.shl', range, i32(1))),
      add(subtract(r, g), op('i32x4.shl', range, i32(2))),
    ),
  );
  // Single precision is exact enough: a quotient of such numbers is either half a number or farther from it than its
  // error. Where the divisor is 0, so is what is multiplied.
  const quotient = (dividend: number, divisor: Vector) =>
    op(
      'i32x4.trunc_sat_f32x4_s',
      op('f32x4.nearest', op('f32x4.div', f32x4(dividend), op('f32x4.convert_i32x4_s', divisor))),
    );
  const times = (factor: Vector, fixed: Vector) =>
    op('i32x4.shr_s', add(op('i32x4.mul', factor, fixed), i32x4(1 << (SHIFT - 1))), i32(SHIFT));
  const hue = keep(times(turn, quotient((180 << SHIFT) / 6, range)));
  const positive = add(hue, op('v128.and', op('i32x4.lt_s', hue, i32x4(0)), i32x4(180)));
  const saturation = times(range, quotient(255 << SHIFT, value));
  return [positive, op('f32x4.convert_i32x4_s', saturation), value];
}

/** Red, green and blue from 0 to 1. */
function fromHsv(
  keep: Keep,
  hue: Vector,
  saturation: Vector,
  value: Vector,
): readonly [Vector, Vector, Vector] {
  const multiply = (a: Vector, b: Vector) => op('f32x4.mul', a, b);
  const oneMinus = (x: Vector) => op('f32x4.sub', f32x4(1), x);
  const s = keep(multiply(saturation, f32x4(1 / 255)));
  const v = keep(multiply(op('f32x4.convert_i32x4_s', value), f32x4(1 / 255)));
  const sixths = keep(multiply(op('f32x4.convert_i32x4_s', hue), f32x4(6 / 180)));
  const sector = keep(op('f32x4.floor', sixths));
  const rest = keep(op('f32x4.sub', sixths, sector));
  const p = keep(multiply(v, oneMinus(s)));
  const q = keep(multiply(v, oneMinusProduct(s, rest)));
  const t = keep(multiply(v, oneMinusProduct(s, keep(oneMinus(rest)))));
  const inSector = [0, 1, 2, 3, 4].map((i) => keep(op('f32x4.eq', sector, f32x4(i))));
  const bySector = (choices: readonly [Vector, Vector, Vector, Vector, Vector, Vector]) =>
    inSector.reduceRight((others, mask, i) => choose(mask, choices[i], others), choices[5]);
  return [bySector([v, q, p, p, t, v]), bySector([t, v, v, q, p, p]), bySector([p, p, t, v, v, q])];
}

/** 1 - a b, the product not rounded before it is subtracted: in double precision, two numbers at a time. */
function oneMinusProduct(a: Vector, b: Vector): Vector {
  const half = (x: Vector, y: Vector) =>
    op(
      'f32x4.demote_f64x2_zero',
      op(
        'f64x2.sub',
        f64x2(1),
        op('f64x2.mul', op('f64x2.promote_low_f32x4', x), op('f64x2.promote_low_f32x4', y)),
      ),
    );
  const last = (x: Vector) => shuffle(x, x, [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15]);
  const lanes = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
  return shuffle(half(a, b), half(last(a), last(b)), lanes);
}
