// Values as the bytes of a picture and back, in WebAssembly. A byte is the whole part of (value + shift) * scale in single
// precision; what saving would cut to 0 to 255 is not cut here. Values are copied in blocks into a small memory, which
// stays in the cache.
import type { MapData, TaskKind } from '../../registry/index.js';
import { i32, load, op, repeatWhile, storeLane, type Statement } from './wasm/instructions.js';
import { WasmModule } from './wasm/module.js';
import type { Vector } from './wasm/vector.js';

type ByteCode = NonNullable<TaskKind['bytes']>;
type Numbers = MapData['data'];

/** Values that are copied at a time; a multiple of STEP. */
const BLOCK = 4096;
/** Pairs of values in each pass of the loop. */
const PAIRS = 4;

/** Of two values of single precision. */
const single = (x: Vector): Vector => op('f32x4.demote_f64x2_zero', x);
const double = (x: Vector): Vector => op('f64x2.promote_low_f32x4', x);

const STEPS = {
  /** The byte and its fraction. */
  encoded: (x: Vector, shift: Vector, scale: Vector) => op('f64x2.mul', op('f64x2.add', x, shift), scale),
  /** The value of the whole part. */
  decoded: (x: Vector, shift: Vector, scale: Vector) =>
    op('f64x2.sub', op('f64x2.div', op('f64x2.trunc', x), scale), shift),
} as const;

const PROGRAMS = {
  encoded: ['encoded'],
  decoded: ['decoded'],
  rounded: ['encoded', 'decoded'],
} as const satisfies Record<string, readonly (keyof typeof STEPS)[]>;
type Program = keyof typeof PROGRAMS;

/** Functions of the bytes, and of shift and scale, that change the values in place. */
function moduleOf(): WasmModule {
  const module = new WasmModule(1);
  for (const [name, steps] of Object.entries(PROGRAMS))
    module.define(name, ['i32', 'f64', 'f64'], (declare, bytes, ...numbers) => {
      const at = declare('i32');
      const [shift, scale] = numbers.map((number) => ({ number, twice: declare('v128') }));
      const body = Array.from({ length: PAIRS }, (_, i): Statement => {
        const given = load('v128.load64_zero', at.get(), 8 * i);
        const result = steps.reduce(
          (x, step) => single(STEPS[step](double(x), shift.twice.get(), scale.twice.get())),
          given,
        );
        return storeLane(64, at.get(), result, 0, 8 * i);
      });
      return [
        ...[shift, scale].map(({ number, twice }) => twice.set(op('f64x2.splat', number.get()))),
        repeatWhile(
          [...body, at.set(op('i32.add', at.get(), i32(8 * PAIRS)))],
          op('i32.lt_u', at.get(), bytes.get()),
        ),
      ];
    });
  return module;
}

class Rounding {
  readonly #run: Record<Program, (bytes: number, shift: number, scale: number) => void>;
  readonly #block: Float32Array;

  constructor() {
    const { memory, exports } = moduleOf().instantiate();
    this.#run = exports as Record<Program, (bytes: number, shift: number, scale: number) => void>;
    this.#block = new Float32Array(memory.buffer, 0, BLOCK);
  }

  run(program: Program, values: Numbers, { shift, scale }: ByteCode, into?: Float32Array): Float32Array {
    const fits = into !== undefined && into.length >= values.length;
    const results = fits ? into.subarray(0, values.length) : new Float32Array(values.length);
    for (let from = 0; from < values.length; from += BLOCK) {
      const part = values.subarray(from, from + BLOCK);
      this.#block.set(part);
      this.#run[program](4 * part.length, shift, scale);
      results.set(this.#block.subarray(0, part.length), from);
    }
    return results;
  }
}

let own: Rounding | undefined;
const rounding = (): Rounding => (own ??= new Rounding());

/** Bytes with their fractions. */
export const encoded = (values: Numbers, code: ByteCode): Float32Array =>
  rounding().run('encoded', values, code);

/** The values of the whole parts of bytes, put in their place. */
export const decode = (bytes: Float32Array, code: ByteCode): Float32Array =>
  rounding().run('decoded', bytes, code, bytes);

/**
 * Both, one after the other.
 * @param into where results are put if there is room; to fill new memory takes longer than to compute them
 */
export const rounded = (values: Numbers, code: ByteCode, into?: Float32Array): Float32Array =>
  rounding().run('rounded', values, code, into);
