// The inner loops of metrics in WebAssembly, two pixels at a time in double precision. Maps are copied in blocks into a
// small memory, which stays in the cache; what comes out are sums over pixels, and integers for each pixel.
import { IGNORE, type MapData } from '../../../registry/index.js';
import { Instance, Memory, Module } from '../../support/wasm/api.js';
import {
  f32x4,
  f64x2,
  i32,
  i32x4,
  load,
  op,
  repeatWhile,
  shuffle,
  store,
  storeLane,
  type Statement,
} from '../../support/wasm/instructions.js';
import { ANGLE_LIMITS, ANGLES, BINS, type AngleForm, type AngleSums, type Vector3 } from './angles.js';
import { DEPTH_SUMS, depthTerms, type DepthSums } from './depth-errors.js';
import { ABOVE, AT_LEAST } from './thresholds.js';
import { WasmModule, type Declare } from '../../support/wasm/module.js';
import { choose, keeper, type Keep, type Vector } from '../../support/wasm/vector.js';
import { add, multiply, only } from './functions.js';

type Numbers = MapData['data'];

/** Pixels that are copied at a time; a multiple of 2. */
const BLOCK = 2048;
const PAGES = 2;
/** Addresses: two maps of up to three channels, then what comes out. Kernels read up to 8 bytes more than a map has. */
const FIRST = 0;
const SECOND = BLOCK * 12 + 16;
const OUT = 2 * SECOND;
const SUMS = OUT + BLOCK * 4 + 16;
/** As many sums as there may be, each in two halves. */
const MOST_SUMS = 16;

/** Two numbers of single precision. */
const pair = (at: ReturnType<typeof i32>, offset: number): Vector =>
  op('f64x2.promote_low_f32x4', load('v128.load64_zero', at, offset));

/** Six numbers of single precision: two vectors, by component. */
function vectors(keep: Keep, at: ReturnType<typeof i32>, offset: number): Vector3 {
  const [low, high] = [keep(load('v128.load', at, offset)), keep(load('v128.load64_zero', at, offset + 16))];
  return [0, 1, 2].map((k) => {
    const lane = (i: number) => [0, 1, 2, 3].map((byte) => 4 * i + byte);
    return keep(
      op('f64x2.promote_low_f32x4', shuffle(low, high, [...lane(k), ...lane(k + 3), ...lane(k), ...lane(k)])),
    );
  }) as unknown as Vector3;
}

/** Sums of terms over the pixels where the mask has ones; `store` puts them at SUMS, in this order, two halves each. */
function summed(declare: Declare, mask: Vector, terms: readonly Vector[]) {
  const sums = terms.map((term) => ({ term, sum: declare('v128') }));
  return {
    add: sums.map(({ term, sum }) => sum.set(add(sum.get(), only(mask, term)))),
    store: sums.map(({ sum }, i) => store(i32(SUMS), sum.get(), 16 * i)),
  };
}

function moduleOf(): WasmModule {
  const module = new WasmModule(PAGES);
  for (const form of ['acos', 'atan2'] as const)
    module.define(form, ['i32'], (declare, pixels) => {
      const [at, bins] = [declare('i32'), declare('i32')];
      const statements: Statement[] = [];
      const keep = keeper(declare, statements);
      const p = vectors(keep, at.get(), FIRST);
      const g = vectors(keep, at.get(), SECOND);
      const known = keep(op('f64x2.ne', g[0], f64x2(IGNORE)));
      const angle = keep(ANGLES[form](keep, p, g));
      const bin = op('f64x2.pmin', multiply(angle, f64x2(BINS / 180)), f64x2(BINS - 1));
      const shown = op('i32x4.trunc_sat_f64x2_s_zero', choose(known, bin, f64x2(BINS)));
      const sums = summed(declare, known, [
        f64x2(1),
        angle,
        multiply(angle, angle),
        ...ANGLE_LIMITS.map((limit) => only(op('f64x2.lt', angle, f64x2(limit)), f64x2(1))),
      ]);
      const body = [
        ...statements,
        ...sums.add,
        storeLane(64, bins.get(), shown, 0, OUT),
        bins.set(op('i32.add', bins.get(), i32(8))),
        at.set(op('i32.add', at.get(), i32(24))),
      ];
      const more = op('i32.lt_u', bins.get(), op('i32.mul', pixels.get(), i32(4)));
      return [repeatWhile(body, more), ...sums.store, at.set(i32(0))];
    });
  module.define('passed', ['i32'], (declare, pixels) => {
    const at = declare('i32');
    const passed = (map: number, compare: 'f32x4.gt' | 'f32x4.ge', thresholds: Float32Array) => {
      const value = declare('v128');
      const masks = Array.from(thresholds, (threshold) => op(compare, value.get(), f32x4(threshold)));
      // A mask is -1.
      return {
        load: value.set(load('v128.load', at.get(), map)),
        count: masks.reduce((sum, mask) => op('i32x4.sub', sum, mask), i32x4(0)),
      };
    };
    const above = passed(FIRST, 'f32x4.gt', ABOVE);
    const atLeast = passed(SECOND, 'f32x4.ge', AT_LEAST);
    const code = op('i32x4.add', op('i32x4.mul', above.count, i32x4(AT_LEAST.length + 1)), atLeast.count);
    return [
      repeatWhile(
        [above.load, atLeast.load, store(at.get(), code, OUT), at.set(op('i32.add', at.get(), i32(16)))],
        op('i32.lt_u', at.get(), op('i32.mul', pixels.get(), i32(4))),
      ),
      at.set(i32(0)),
    ];
  });
  module.define('depth', ['i32'], (declare, pixels) => {
    const at = declare('i32');
    const statements: Statement[] = [];
    const keep = keeper(declare, statements);
    const label = keep(pair(at.get(), SECOND));
    const unknown = op('v128.or', op('f64x2.eq', label, f64x2(IGNORE)), op('f64x2.le', label, f64x2(0)));
    const known = keep(op('v128.not', unknown));
    const terms = depthTerms(keep, keep(pair(at.get(), FIRST)), label);
    const sums = summed(
      declare,
      known,
      DEPTH_SUMS.map((name) => terms[name]),
    );
    const body = [...statements, ...sums.add, at.set(op('i32.add', at.get(), i32(8)))];
    const more = op('i32.lt_u', at.get(), op('i32.mul', pixels.get(), i32(4)));
    return [repeatWhile(body, more), ...sums.store, at.set(i32(0))];
  });
  return module;
}

type Kernel = AngleForm | 'passed' | 'depth';

class Kernels {
  readonly #run: Record<Kernel, (pixels: number) => void>;
  readonly #first: Float32Array;
  readonly #second: Float32Array;
  readonly #out: Int32Array;
  readonly #sums: Float64Array;

  constructor() {
    const memory = new Memory({ initial: PAGES, maximum: PAGES, shared: true });
    const { exports } = new Instance(new Module(moduleOf().toBytes()), { env: { memory } });
    this.#run = exports as Record<Kernel, (pixels: number) => void>;
    this.#first = new Float32Array(memory.buffer, FIRST, 3 * BLOCK);
    this.#second = new Float32Array(memory.buffer, SECOND, 3 * BLOCK);
    this.#out = new Int32Array(memory.buffer, OUT, BLOCK);
    this.#sums = new Float64Array(memory.buffer, SUMS, 2 * MOST_SUMS);
  }

  angles(form: AngleForm, p: Numbers, g: Numbers, histogram: Float64Array): AngleSums {
    const totals = this.#summed(form, p, g, 3, 3 + ANGLE_LIMITS.length, (pixels) => {
      const bins = this.#out;
      for (let i = 0; i < pixels; i++) histogram[bins[i]]++;
    });
    const [count, angles, squares, ...within] = totals;
    return { count, angles, squares, within };
  }

  passed(p: Numbers, q: Numbers, visit: (codes: Int32Array, from: number) => void): void {
    this.#blocks(p, q, 1, (pixels, from) => {
      this.#run.passed(pixels);
      visit(this.#out.subarray(0, pixels), from);
    });
  }

  depth(p: Numbers, g: Numbers): DepthSums {
    const totals = this.#summed('depth', p, g, 1, DEPTH_SUMS.length);
    return Object.fromEntries(DEPTH_SUMS.map((name, i) => [name, totals[i]])) as DepthSums;
  }

  #summed(
    kernel: Kernel,
    p: Numbers,
    g: Numbers,
    channels: number,
    length: number,
    then?: (pixels: number) => void,
  ): number[] {
    const totals = Array<number>(length).fill(0);
    this.#blocks(p, g, channels, (pixels) => {
      // Kernels take pixels in pairs; the second one of the last pair is not there.
      if (pixels % 2 === 1) this.#second[channels * pixels] = IGNORE;
      this.#run[kernel](pixels);
      for (let i = 0; i < length; i++) totals[i] += this.#sums[2 * i] + this.#sums[2 * i + 1];
      then?.(pixels);
    });
    return totals;
  }

  #blocks(p: Numbers, g: Numbers, channels: number, run: (pixels: number, from: number) => void): void {
    const pixels = g.length / channels;
    for (let from = 0; from < pixels; from += BLOCK) {
      const to = Math.min(from + BLOCK, pixels);
      this.#first.set(p.subarray(channels * from, channels * to));
      this.#second.set(g.subarray(channels * from, channels * to));
      run(to - from, from);
    }
  }
}

let own: Kernels | undefined;
const kernels = (): Kernels => (own ??= new Kernels());

/**
 * Sums over the angles between vectors.
 *
 * @param p interleaved [pixel][3], of any length
 * @param g the same; IGNORE is unknown
 * @param histogram where angles are counted, of BINS + 1 numbers
 */
export function angleSums(form: AngleForm, p: Numbers, g: Numbers, histogram: Float64Array): AngleSums {
  return kernels().angles(form, p, g, histogram);
}

/** @param p metres; @param g metres; IGNORE or what is not positive is unknown */
export function depthSums(p: Numbers, g: Numbers): DepthSums {
  return kernels().depth(p, g);
}

/**
 * How many thresholds each pixel passes.
 *
 * @param p what is compared with ABOVE
 * @param q what is compared with AT_LEAST; of the same length
 * @param visit gets a code for some pixels, valid until it returns, and the number of the first of them: how many of
 *   ABOVE are passed, times the length of AT_LEAST and one, plus how many of AT_LEAST are
 */
export function eachPassed(p: Numbers, q: Numbers, visit: (codes: Int32Array, from: number) => void): void {
  kernels().passed(p, q, visit);
}
