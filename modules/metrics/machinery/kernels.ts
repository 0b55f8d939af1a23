// The inner loops of metrics in WebAssembly. Maps are copied in blocks into a small memory, which stays in the cache;
// what comes out are sums over pixels, and counts.
import { IGNORE, type MapData } from '../../../registry/index.js';
import { WasmModule } from '../../support/wasm/module.js';
import { BINS, defineAngles, type AngleForm } from './angles.js';
import {
  BLOCK,
  CHANNELS,
  COUNTS,
  FIRST,
  MOST_COUNTS,
  MOST_SUMS,
  PAGES,
  SECOND,
  SPARE,
  SUMS,
} from './block.js';
import { defineDepth, DEPTH_SUMS, type DepthSums } from './depth-errors.js';
import { AGAIN, CODES, definePassed, KINDS, LANES } from './thresholds.js';

type Numbers = MapData['data'];
type Kernel = AngleForm | 'passed' | 'depth';

class Kernels {
  readonly #run: Record<Kernel, (pixels: number) => void>;
  readonly #first: Float32Array;
  readonly #again: Float32Array;
  readonly #second: Float32Array;
  readonly #sums: Float64Array;
  readonly #counts: Int32Array;

  constructor() {
    const module = new WasmModule(PAGES);
    defineAngles(module, 'acos');
    defineAngles(module, 'atan2');
    defineDepth(module);
    definePassed(module);
    const { memory, exports } = module.instantiate();
    this.#run = exports as Record<Kernel, (pixels: number) => void>;
    this.#first = new Float32Array(memory.buffer, FIRST, CHANNELS * BLOCK);
    this.#again = new Float32Array(memory.buffer, AGAIN, BLOCK);
    this.#second = new Float32Array(memory.buffer, SECOND, CHANNELS * BLOCK + SPARE / 4);
    this.#sums = new Float64Array(memory.buffer, SUMS, 2 * MOST_SUMS);
    this.#counts = new Int32Array(memory.buffer, COUNTS, MOST_COUNTS);
  }

  angles(form: AngleForm, p: Numbers, g: Numbers): AngleSums {
    const bins = this.#counts.subarray(0, BINS).fill(0);
    const [count, angles, squares] = this.#summed(form, p, g, 3, 3);
    bins[0] -= 2 * Math.ceil(g.length / 6) - count;
    return { count, angles, squares, bins };
  }

  passed(p: Numbers, q: Numbers, label: Numbers): Int32Array {
    const counts = this.#counts.subarray(0, LANES * KINDS * CODES).fill(0);
    for (const [from, to] of this.#blocks(p, label, 1)) {
      this.#again.set(q.subarray(from, to));
      this.#second.fill(IGNORE, to - from, to - from + 3);
      this.#run.passed(to - from);
    }
    return counts;
  }

  depth(p: Numbers, g: Numbers): DepthSums {
    const totals = this.#summed('depth', p, g, 1, DEPTH_SUMS.length);
    return Object.fromEntries(DEPTH_SUMS.map((name, i) => [name, totals[i]])) as DepthSums;
  }

  #summed(kernel: Kernel, p: Numbers, g: Numbers, channels: number, length: number): number[] {
    const totals = Array<number>(length).fill(0);
    for (const [from, to] of this.#blocks(p, g, channels)) {
      // Pixels are taken in pairs; the second one of the last pair is not there.
      this.#second[channels * (to - from)] = IGNORE;
      this.#run[kernel](to - from);
      for (let i = 0; i < length; i++) totals[i] += this.#sums[2 * i] + this.#sums[2 * i + 1];
    }
    return totals;
  }

  /** Copies blocks of two maps, and gives the pixels of each once it is there. */
  *#blocks(first: Numbers, second: Numbers, channels: number): Generator<[from: number, to: number]> {
    const pixels = second.length / channels;
    for (let from = 0; from < pixels; from += BLOCK) {
      const to = Math.min(from + BLOCK, pixels);
      this.#first.set(first.subarray(channels * from, channels * to));
      this.#second.set(second.subarray(channels * from, channels * to));
      yield [from, to];
    }
  }
}

let own: Kernels | undefined;
const kernels = (): Kernels => (own ??= new Kernels());

/** Sums over pixels with a known vector. */
export interface AngleSums {
  count: number;
  /** In degrees. */
  angles: number;
  squares: number;
  /** How many angles there are in each of BINS; valid until the next call. */
  bins: Int32Array;
}

/**
 * Sums over the angles between vectors.
 *
 * @param p interleaved [pixel][3], of any length
 * @param g the same; IGNORE is unknown
 */
export function angleSums(form: AngleForm, p: Numbers, g: Numbers): AngleSums {
  return kernels().angles(form, p, g);
}

/** @param p metres; @param g metres; IGNORE or what is not positive is unknown */
export function depthSums(p: Numbers, g: Numbers): DepthSums {
  return kernels().depth(p, g);
}

/**
 * Pixels by the thresholds that they pass.
 *
 * @param p what is compared with ABOVE
 * @param q what is compared with AT_LEAST; of the same length
 * @param label 0 for OTHER, IGNORE for UNKNOWN, else SALIENT
 * @returns their number, [kind of label][code]
 */
export function passedCounts(p: Numbers, q: Numbers, label: Numbers): Float64Array {
  const counts = kernels().passed(p, q, label);
  return Float64Array.from({ length: KINDS * CODES }, (_, i) =>
    counts.subarray(LANES * i, LANES * (i + 1)).reduce((sum, n) => sum + n, 0),
  );
}
