// WebAssembly instructions as typed functions. WebAssembly is a stack machine whose binary form is a list of bytes: first
// the operands, then the instruction that takes them. So an expression here is its type and its bytes, and applying an
// instruction to expressions appends its own bytes to theirs:
//
//   op('f32x4.add', x, op('f32x4.mul', y, z))      x + y * z, four numbers at a time
//
// TypeScript checks the operands against the table, so a program that compiles is also valid WebAssembly. Whoever needs
// another instruction adds a line to the table: https://webassembly.github.io/spec/core/appendix/index-instructions.html

/** v128: 16 bytes, which the instruction sees as 4 numbers of single or 2 of double precision. */
export type Type = 'i32' | 'f32' | 'f64' | 'v128';

export interface Expression<T extends Type = Type> {
  readonly type: T;
  readonly bytes: readonly number[];
}

/** Changes something and leaves nothing on the stack. */
export interface Statement {
  readonly bytes: readonly number[];
}

const simd = (code: number): readonly number[] => [0xfd, ...unsigned(code)];
const UNARY = ['v128'] as const;
const BINARY = ['v128', 'v128'] as const;

/** Instructions without immediate operands: their bytes, what they take, what they give. */
const INSTRUCTIONS = {
  'i32.eqz': [[0x45], ['i32'], 'i32'],
  'i32.lt_u': [[0x49], ['i32', 'i32'], 'i32'],
  'i32.lt_s': [[0x48], ['i32', 'i32'], 'i32'],
  'i32.add': [[0x6a], ['i32', 'i32'], 'i32'],
  'i32.sub': [[0x6b], ['i32', 'i32'], 'i32'],
  'i32.mul': [[0x6c], ['i32', 'i32'], 'i32'],
  'i32.and': [[0x71], ['i32', 'i32'], 'i32'],
  'i32.shl': [[0x74], ['i32', 'i32'], 'i32'],
  'i32.shr_s': [[0x75], ['i32', 'i32'], 'i32'],
  /** The first where the third is not 0. */
  select: [[0x1b], ['i32', 'i32', 'i32'], 'i32'],
  'f64.add': [[0xa0], ['f64', 'f64'], 'f64'],

  'v128.not': [simd(77), UNARY, 'v128'],
  'v128.and': [simd(78), BINARY, 'v128'],
  'v128.or': [simd(80), BINARY, 'v128'],
  'v128.xor': [simd(81), BINARY, 'v128'],
  /** Bits of the first where the third has ones, of the second elsewhere. */
  'v128.bitselect': [simd(82), ['v128', 'v128', 'v128'], 'v128'],

  // Comparisons give ones in all bits of a number, or zeros.
  'f32x4.eq': [simd(65), BINARY, 'v128'],
  'f32x4.ne': [simd(66), BINARY, 'v128'],
  'f32x4.lt': [simd(67), BINARY, 'v128'],
  'f32x4.gt': [simd(68), BINARY, 'v128'],
  'f32x4.le': [simd(69), BINARY, 'v128'],
  'f32x4.ge': [simd(70), BINARY, 'v128'],
  'f32x4.ceil': [simd(103), UNARY, 'v128'],
  'f32x4.floor': [simd(104), UNARY, 'v128'],
  /** Halves go to the even neighbour. */
  'f32x4.nearest': [simd(106), UNARY, 'v128'],
  'f32x4.abs': [simd(224), UNARY, 'v128'],
  'f32x4.neg': [simd(225), UNARY, 'v128'],
  'f32x4.sqrt': [simd(227), UNARY, 'v128'],
  'f32x4.add': [simd(228), BINARY, 'v128'],
  'f32x4.sub': [simd(229), BINARY, 'v128'],
  'f32x4.mul': [simd(230), BINARY, 'v128'],
  'f32x4.div': [simd(231), BINARY, 'v128'],
  'f32x4.min': [simd(232), BINARY, 'v128'],
  'f32x4.max': [simd(233), BINARY, 'v128'],
  /** Of two numbers the second where it is smaller (larger), else the first: also where one is no number. */
  'f32x4.pmin': [simd(234), BINARY, 'v128'],
  'f32x4.pmax': [simd(235), BINARY, 'v128'],
  /** The same number twice, or four times. */
  'f64x2.splat': [simd(20), ['f64'], 'v128'],
  'i32x4.splat': [simd(17), ['i32'], 'v128'],
  'f32x4.splat': [simd(19), ['f32'], 'v128'],
  /** Towards zero. */
  'f32x4.trunc': [simd(105), UNARY, 'v128'],
  /** Towards zero; what is no number is 0. */
  'i32x4.trunc_sat_f32x4_s': [simd(248), UNARY, 'v128'],
  'f32x4.convert_i32x4_s': [simd(250), UNARY, 'v128'],
  /** The sign bits of four numbers, the first one lowest. */
  'i32x4.bitmask': [simd(164), UNARY, 'i32'],
  'i32x4.eq': [simd(55), BINARY, 'v128'],
  'i32x4.lt_s': [simd(57), BINARY, 'v128'],
  'i32x4.ge_s': [simd(63), BINARY, 'v128'],
  'i32x4.shl': [simd(171), ['v128', 'i32'], 'v128'],
  'i32x4.shr_s': [simd(172), ['v128', 'i32'], 'v128'],
  'i32x4.add': [simd(174), BINARY, 'v128'],
  'i32x4.sub': [simd(177), BINARY, 'v128'],
  'i32x4.mul': [simd(181), BINARY, 'v128'],
  'i32x4.min_s': [simd(182), BINARY, 'v128'],
  'i32x4.max_s': [simd(184), BINARY, 'v128'],
  // Wider: the first half of the numbers. Narrower: the numbers of both, clipped to what fits.
  'i16x8.extend_low_i8x16_u': [simd(137), UNARY, 'v128'],
  'i32x4.extend_low_i16x8_u': [simd(169), UNARY, 'v128'],
  'i16x8.narrow_i32x4_s': [simd(133), BINARY, 'v128'],
  'i8x16.narrow_i16x8_u': [simd(102), BINARY, 'v128'],
  'f64x2.eq': [simd(71), BINARY, 'v128'],
  'f64x2.ne': [simd(72), BINARY, 'v128'],
  'f64x2.lt': [simd(73), BINARY, 'v128'],
  'f64x2.gt': [simd(74), BINARY, 'v128'],
  'f64x2.le': [simd(75), BINARY, 'v128'],
  'f64x2.abs': [simd(236), UNARY, 'v128'],
  'f64x2.pmin': [simd(246), BINARY, 'v128'],
  'f64x2.pmax': [simd(247), BINARY, 'v128'],
  /** Towards zero, then two zeros; what is no number is 0. */
  'i32x4.trunc_sat_f64x2_s_zero': [simd(252), UNARY, 'v128'],
  'i64x2.shr_u': [simd(205), ['v128', 'i32'], 'v128'],
  /** Towards zero. */
  'f64x2.trunc': [simd(122), UNARY, 'v128'],
  'f64x2.sqrt': [simd(239), UNARY, 'v128'],
  'f64x2.sub': [simd(241), BINARY, 'v128'],
  'f64x2.div': [simd(243), BINARY, 'v128'],
  /** In single precision, then two zeros. */
  'f32x4.demote_f64x2_zero': [simd(94), UNARY, 'v128'],
  'f64x2.add': [simd(240), BINARY, 'v128'],
  'f64x2.mul': [simd(242), BINARY, 'v128'],
  /** The first two of four numbers, in double precision. */
  'f64x2.promote_low_f32x4': [simd(95), UNARY, 'v128'],
} as const satisfies Record<string, readonly [readonly number[], readonly Type[], Type]>;

export type Instruction = keyof typeof INSTRUCTIONS;
type Taken<Name extends Instruction> = (typeof INSTRUCTIONS)[Name][1];
type Operands<Types extends readonly Type[]> = { [I in keyof Types]: Expression<Types[I]> };

export function op<Name extends Instruction>(
  name: Name,
  ...operands: Operands<Taken<Name>>
): Expression<(typeof INSTRUCTIONS)[Name][2]> {
  const [code, , type] = INSTRUCTIONS[name];
  return { type, bytes: [...operands.flatMap(({ bytes }) => bytes), ...code] };
}

export const i32 = (value: number): Expression<'i32'> => ({ type: 'i32', bytes: [0x41, ...signed(value)] });

/** The same number four times. */
export const f32x4 = (value: number): Expression<'v128'> => ({
  type: 'v128',
  bytes: [...simd(12), ...new Uint8Array(new Float32Array(4).fill(value).buffer)],
});

/** The same number twice. */
export const f64x2 = (value: number): Expression<'v128'> => ({
  type: 'v128',
  bytes: [...simd(12), ...new Uint8Array(new Float64Array(2).fill(value).buffer)],
});

/** One number four times, or four numbers. */
export const i32x4 = (...values: [number] | [number, number, number, number]): Expression<'v128'> => ({
  type: 'v128',
  bytes: [
    ...simd(12),
    ...new Uint8Array(Int32Array.from({ length: 4 }, (_, i) => values[i] ?? values[0]).buffer),
  ],
});

/** The same 64 bits twice. */
export const i64x2 = (bits: bigint): Expression<'v128'> => ({
  type: 'v128',
  bytes: [...simd(12), ...new Uint8Array(new BigUint64Array(2).fill(bits).buffer)],
});

/** Bytes of two vectors in another order: 0 to 15 are those of the first, 16 to 31 those of the second. */
export const shuffle = (
  a: Expression<'v128'>,
  b: Expression<'v128'>,
  lanes: readonly number[],
): Expression<'v128'> => ({ type: 'v128', bytes: [...a.bytes, ...b.bytes, ...simd(13), ...lanes] });

/** One of the two numbers in a vector. */
export const f64Lane = (vector: Expression<'v128'>, lane: 0 | 1): Expression<'f64'> => ({
  type: 'f64',
  bytes: [...vector.bytes, ...simd(33), lane],
});

/** Loads with what they load; the address is in bytes. */
const LOADS = {
  /** 16 bytes. */
  'v128.load': simd(0),
  /** A number of single precision, four times. */
  'v128.load32_splat': simd(9),
  /** 4 bytes, and zeros. */
  'v128.load32_zero': simd(92),
  /** 8 bytes, and zeros. */
  'v128.load64_zero': simd(93),
} as const;

/** @param offset added to the address, for nothing */
export const load = (name: keyof typeof LOADS, at: Expression<'i32'>, offset = 0): Expression<'v128'> => ({
  type: 'v128',
  bytes: [...at.bytes, ...LOADS[name], ...anywhere(offset)],
});

export const loadI32 = (at: Expression<'i32'>, offset = 0): Expression<'i32'> => ({
  type: 'i32',
  bytes: [...at.bytes, 0x28, ...anywhere(offset)],
});

export const storeI32 = (at: Expression<'i32'>, value: Expression<'i32'>, offset = 0): Statement => ({
  bytes: [...at.bytes, ...value.bytes, 0x36, ...anywhere(offset)],
});

/** Stores 4 or 8 bytes of a vector, the lane-th of such. */
export const storeLane = (
  size: 32 | 64,
  at: Expression<'i32'>,
  value: Expression<'v128'>,
  lane: number,
  offset = 0,
): Statement => ({
  bytes: [...at.bytes, ...value.bytes, ...simd(size === 32 ? 90 : 91), ...anywhere(offset), lane],
});

export const store = (at: Expression<'i32'>, value: Expression<'v128'>, offset = 0): Statement => ({
  bytes: [...at.bytes, ...value.bytes, ...simd(11), ...anywhere(offset)],
});

/** Where in memory, without a promise about alignment. */
const anywhere = (offset: number): number[] => [0, ...unsigned(offset)];

/** Runs `body`, and again as long as `condition` holds after it. */
export function repeatWhile(body: readonly Statement[], condition: Expression<'i32'>): Statement {
  const [loop, nothing, branchIf, end] = [0x03, 0x40, 0x0d, 0x0b];
  return {
    bytes: [loop, nothing, ...body.flatMap(({ bytes }) => bytes), ...condition.bytes, branchIf, 0, end],
  };
}

/** The number in 7-bit groups, low ones first (LEB128). */
export function unsigned(value: number): number[] {
  const low = value % 128;
  return value < 128 ? [low] : [low | 128, ...unsigned(Math.floor(value / 128))];
}

function signed(value: number): number[] {
  const low = value & 127;
  const rest = value >> 7;
  const done = (rest === 0 && low < 64) || (rest === -1 && low >= 64);
  return done ? [low] : [low | 128, ...signed(rest)];
}
