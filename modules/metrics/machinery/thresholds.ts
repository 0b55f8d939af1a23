// Saliency maps by the thresholds that their pixels pass.
import { IGNORE } from '../../../registry/index.js';
import { f32x4, i32, i32x4, load, op, store, type Statement } from '../../support/wasm/instructions.js';
import type { WasmModule } from '../../support/wasm/module.js';
import { keeper, type Vector } from '../../support/wasm/vector.js';
import { BETWEEN, BLOCK, counted, FIRST, overBytes, SECOND } from './block.js';

/** Thresholds of saliency are compared in single precision, as the originals do. */
const evenly = (from: number, count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => from + i * 0.05);
/** A map is above the thresholds of Vandenhende's evaluation, and at least those of ATRC's. */
export const ABOVE = evenly(0.2, 15);
export const AT_LEAST = evenly(0.05, 19);

/** A pixel's code: how many of ABOVE it passes, times the length of AT_LEAST and one, plus how many of AT_LEAST. */
export const CODES = (ABOVE.length + 1) * (AT_LEAST.length + 1);
/** What labels say. Pixels are counted by their code and this. */
export const [OTHER, SALIENT, UNKNOWN, KINDS] = [0, 1, 2, 3];
/** Neighbours are counted apart: they often have the same code, and one sum would have to wait for the other. */
export const LANES = 4;
/** Address of the map that is compared with AT_LEAST; the first one is compared with ABOVE. */
export const AGAIN = FIRST + 4 * BLOCK;

/** Adds a function `passed` of the number of pixels. The counts are [kind of label][code][lane]. */
export function definePassed(module: WasmModule): void {
  module.define('passed', ['i32'], (declare, pixels) => {
    const bytes = op('i32.mul', pixels.get(), i32(4));
    const codes = overBytes(declare, bytes, 16, (at) => {
      const statements: Statement[] = [];
      const keep = keeper(declare, statements);
      const passed = (map: number, compare: 'f32x4.gt' | 'f32x4.ge', thresholds: Float32Array) => {
        const value = keep(load('v128.load', at, map));
        return minusMasks(
          i32x4(0),
          Array.from(thresholds, (threshold) => op(compare, value, f32x4(threshold))),
        );
      };
      const above = passed(FIRST, 'f32x4.gt', ABOVE);
      const atLeast = passed(AGAIN, 'f32x4.ge', AT_LEAST);
      const label = keep(load('v128.load', at, SECOND));
      const kind = minusMasks(i32x4(OTHER), [
        op('f32x4.ne', label, f32x4(0)),
        op('f32x4.eq', label, f32x4(IGNORE)),
      ]);
      const row = op('i32x4.add', above, op('i32x4.mul', kind, i32x4(ABOVE.length + 1)));
      const code = op('i32x4.add', op('i32x4.mul', row, i32x4(AT_LEAST.length + 1)), atLeast);
      const lanes = i32x4(0, 4, 8, 12);
      return [...statements, store(at, op('i32x4.add', op('i32x4.shl', code, i32(4)), lanes), BETWEEN)];
    });
    return [codes, overBytes(declare, bytes, 16, (at) => counted(declare, at, LANES))];
  });
}

/** A mask is -1 where it has ones. */
const minusMasks = (from: Vector, masks: readonly Vector[]): Vector =>
  masks.reduce((sum, mask) => op('i32x4.sub', sum, mask), from);
