// The inner loops of resizing and warping in WebAssembly, four channels of a pixel at a time. Everything happens on rows
// of float32, interleaved [x][channel]. A pixel is loaded and stored as 4 numbers whatever its channels are: what is too
// much is overwritten by the next pixel, so rows need 16 bytes of room behind them.
import { defineHsv, type HsvKernels } from './hsv.js';
import { WasmModule, type Declare, type Local } from '../wasm/module.js';
import {
  f32x4,
  i32,
  i32x4,
  load,
  loadI32,
  op,
  repeatWhile,
  store,
  storeLane,
  type Expression,
  type Statement,
} from '../wasm/instructions.js';
import type { Vector } from '../wasm/vector.js';

type Address = Local<'i32'>;

/** Addresses are in bytes; ends are exclusive, and at least one pixel comes before them. */
export interface Kernels extends HsvKernels {
  /**
   * A row resized: pixel x is the sum of a few pixels of the source.
   * @param index for each of them its offset in the source, in bytes, int32
   * @param weight as many float32
   * @param step bytes of a pixel of the result
   */
  across(
    elements: 'bytes' | 'floats',
    taps: 2 | 4,
    ...at: [source: number, index: number, weight: number, out: number, end: number, step: number]
  ): void;
  /** Rows added up, each times one of the float32 at `weight`. */
  down2(out: number, end: number, weight: number, a: number, b: number): void;
  down4(out: number, end: number, weight: number, a: number, b: number, c: number, d: number): void;
  /** Cut to whole numbers, what is below 0 or above 255 clipped. */
  clip(out: number, end: number, source: number): void;
  /** The same, but in these cases only the lowest 8 bits count. */
  wrap(out: number, end: number, source: number): void;
  /** See WarpedRows. */
  warp(elements: 'bytes' | 'floats', ...at: WarpArguments): void;
}

export type WarpArguments = [
  source: number,
  stride: number,
  out: number,
  end: number,
  step: number,
  /** Bytes of a pixel of the source. */
  pixel: number,
  rowX: number,
  rowY: number,
  /** int32 for each column: what it adds to rowX and rowY. */
  alongX: number,
  alongY: number,
  /** Four float32 for each fraction of a pixel. */
  weights: number,
  mostLeft: number,
  mostTop: number,
];

/** @param exports of an instance of `kernelModule` */
export function kernelsOf(exports: Record<string, unknown>): Kernels {
  const named = exports as Record<string, (...at: number[]) => void>;
  const across = {
    bytes: { 2: named.acrossBytes2, 4: named.acrossBytes4 },
    floats: { 2: named.acrossFloats2, 4: named.acrossFloats4 },
  };
  const warp = { bytes: named.warpBytes, floats: named.warpFloats };
  return {
    ...(exports as unknown as Kernels),
    across: (elements, taps, ...at) => across[elements][taps](...at),
    warp: (elements, ...at) => warp[elements](...at),
  };
}

export function kernelModule(pages: number): WasmModule {
  const module = new WasmModule(pages);
  for (const [elements, pixelAt] of [
    ['Bytes', bytesAt],
    ['Floats', floatsAt],
  ] as const) {
    for (const taps of [2, 4]) defineAcross(module, `across${elements}${taps}`, taps, pixelAt);
    defineWarp(module, `warp${elements}`, pixelAt);
  }
  defineDown(module);
  defineToBytes(module);
  defineHsv(module);
  return module;
}

/** Four numbers of float32. */
const floatsAt = (at: Expression<'i32'>, offset = 0): Vector => load('v128.load', at, offset);
/** Four bytes. */
const bytesAt = (at: Expression<'i32'>, offset = 0): Vector =>
  op(
    'f32x4.convert_i32x4_s',
    op('i32x4.extend_low_i16x8_u', op('i16x8.extend_low_i8x16_u', load('v128.load32_zero', at, offset))),
  );

const plus = (a: Expression<'i32'>, b: Expression<'i32'>): Expression<'i32'> => op('i32.add', a, b);
const advance = (local: Address, by: number): Statement => local.set(plus(local.get(), i32(by)));
const sum = (vectors: readonly Vector[]): Vector => vectors.reduce((a, b) => op('f32x4.add', a, b));
const times = (weight: Vector, value: Vector): Vector => op('f32x4.mul', weight, value);
const splat = (at: Expression<'i32'>, offset = 0): Vector => load('v128.load32_splat', at, offset);

function defineAcross(module: WasmModule, name: string, taps: number, pixelAt: typeof floatsAt): void {
  module.define(
    name,
    ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'],
    (_, source, index, weight, out, end, step) => [
      repeatWhile(
        [
          store(
            out.get(),
            sum(
              Array.from({ length: taps }, (_, t) =>
                times(splat(weight.get(), 4 * t), pixelAt(plus(source.get(), loadI32(index.get(), 4 * t)))),
              ),
            ),
          ),
          advance(index, 4 * taps),
          advance(weight, 4 * taps),
          out.set(plus(out.get(), step.get())),
        ],
        op('i32.lt_u', out.get(), end.get()),
      ),
    ],
  );
}

function defineDown(module: WasmModule): void {
  const body = (
    declare: Declare,
    out: Address,
    end: Address,
    weight: Address,
    rows: readonly Address[],
  ): [...Statement[], Statement] => {
    const weights = rows.map(() => declare('v128'));
    return [
      ...weights.map((local, j) => local.set(splat(weight.get(), 4 * j))),
      repeatWhile(
        [
          store(out.get(), sum(rows.map((row, j) => times(weights[j].get(), floatsAt(row.get()))))),
          ...[out, ...rows].map((local) => advance(local, 16)),
        ],
        op('i32.lt_u', out.get(), end.get()),
      ),
    ];
  };
  module.define('down2', ['i32', 'i32', 'i32', 'i32', 'i32'], (declare, out, end, weight, a, b) =>
    body(declare, out, end, weight, [a, b]),
  );
  module.define(
    'down4',
    ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'],
    (declare, out, end, weight, a, b, c, d) => body(declare, out, end, weight, [a, b, c, d]),
  );
}

function defineToBytes(module: WasmModule): void {
  const whole = (at: Address): Vector => op('i32x4.trunc_sat_f32x4_s', floatsAt(at.get()));
  const lowest = (at: Address): Vector => op('v128.and', whole(at), i32x4(255));
  for (const [name, fit] of [
    ['clip', whole],
    ['wrap', lowest],
  ] as const)
    module.define(name, ['i32', 'i32', 'i32'], (declare, out, end, source) => {
      const short = declare('v128');
      return [
        repeatWhile(
          [
            short.set(op('i16x8.narrow_i32x4_s', fit(source), f32x4(0))),
            storeLane(32, out.get(), op('i8x16.narrow_i16x8_u', short.get(), f32x4(0)), 0),
            advance(out, 4),
            advance(source, 16),
          ],
          op('i32.lt_u', out.get(), end.get()),
        ),
      ];
    });
}

/** Bits of a source position after the point, and those that choose the weights of cubic interpolation. */
export const POSITION_BITS = 10;
export const WEIGHT_BITS = 5;
/** Zeros around the source: pixels that interpolation at its border reads. */
export const BORDER = 4;

function defineWarp(module: WasmModule, name: string, pixelAt: typeof floatsAt): void {
  const parameters = Array.from({ length: 13 }, () => 'i32' as const);
  module.define(name, parameters, (declare, ...all) => {
    const [source, stride, out, end, step, pixel, rowX, rowY, alongX, alongY, weights, mostLeft, mostTop] =
      all;
    const [x, y, at, acrossWeights, downWeights] = [0, 0, 0, 0, 0].map(() => declare('i32'));
    const result = declare('v128');
    /** In 32nds of a pixel. */
    const position = (row: Address, along: Address) =>
      op('i32.shr_s', plus(row.get(), loadI32(along.get())), i32(POSITION_BITS - WEIGHT_BITS));
    const weightsOf = (fine: Address) =>
      plus(weights.get(), op('i32.shl', op('i32.and', fine.get(), i32((1 << WEIGHT_BITS) - 1)), i32(4)));
    /** The first of the four pixels, not farther out than the border. */
    const first = (fine: Address, most: Address): Statement[] => [
      fine.set(plus(op('i32.shr_s', fine.get(), i32(WEIGHT_BITS)), i32(-1))),
      fine.set(op('select', i32(-BORDER), fine.get(), op('i32.lt_s', fine.get(), i32(-BORDER)))),
      fine.set(op('select', fine.get(), most.get(), op('i32.lt_s', fine.get(), most.get()))),
    ];
    const line = declare('v128');
    const rows = Array.from({ length: 4 }, (_, j): Statement[] => [
      line.set(times(splat(acrossWeights.get(), 0), pixelAt(at.get()))),
      ...[1, 2, 3].map((i) =>
        line.set(
          op(
            'f32x4.add',
            line.get(),
            times(splat(acrossWeights.get(), 4 * i), pixelAt(pixelsOn(at, pixel, i))),
          ),
        ),
      ),
      result.set(op('f32x4.add', result.get(), times(splat(downWeights.get(), 4 * j), line.get()))),
      at.set(plus(at.get(), stride.get())),
    ]).flat();
    return [
      repeatWhile(
        [
          x.set(position(rowX, alongX)),
          y.set(position(rowY, alongY)),
          acrossWeights.set(weightsOf(x)),
          downWeights.set(weightsOf(y)),
          ...first(x, mostLeft),
          ...first(y, mostTop),
          at.set(
            plus(
              source.get(),
              plus(op('i32.mul', y.get(), stride.get()), op('i32.mul', x.get(), pixel.get())),
            ),
          ),
          result.set(f32x4(0)),
          ...rows,
          store(out.get(), result.get()),
          ...[alongX, alongY].map((local) => advance(local, 4)),
          out.set(plus(out.get(), step.get())),
        ],
        op('i32.lt_u', out.get(), end.get()),
      ),
    ];
  });
}

const pixelsOn = (at: Address, pixel: Address, count: number): Expression<'i32'> =>
  plus(at.get(), op('i32.mul', pixel.get(), i32(count)));
