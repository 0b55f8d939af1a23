// What PJRT takes and returns besides numbers, in its forms: options by name, programs, compiled programs as bytes, and what
// they take on a device.
import { MtcpError } from '../../../registry/errors.js';
import type { PjrtApi } from './api.js';
import { NAMED_VALUE, STRUCTS } from './pjrt-table.js';
import { bytesAt, Struct, type FieldValue } from './structs.js';

/** A number is an integer, unless it is said to be none: plugins refuse one type in place of the other. */
export type Option = string | number | boolean | { readonly float: number };

export function namedValues(options: readonly [string, Option][]): Buffer {
  const size = Math.ceil(STRUCTS.NamedValue.size / 8) * 8;
  const list = Buffer.alloc(size * Math.max(1, options.length));
  options.forEach(([key, given], i) => {
    const name = Buffer.from(key);
    const { type, value, count = 1 } = encoded(given);
    const struct = new Struct(STRUCTS.NamedValue, {
      struct_size: STRUCTS.NamedValue.size,
      name,
      name_size: name.length,
      type: NAMED_VALUE[type],
      value,
      value_size: count,
    });
    struct.memory.copy(list, size * i);
    held.push(name, value);
  });
  return list;
}

interface Encoded {
  type: keyof typeof NAMED_VALUE;
  value: FieldValue;
  count?: number;
}

function encoded(given: Option): Encoded {
  if (typeof given === 'boolean') return { type: 'bool', value: given };
  if (typeof given === 'number') return { type: 'int64', value: given };
  if (typeof given === 'string') {
    const text = Buffer.from(given);
    return { type: 'string', value: text, count: text.length };
  }
  const bits = Buffer.alloc(8);
  bits.writeFloatLE(given.float);
  return { type: 'float', value: bits.readBigInt64LE() };
}

/** Names and texts of client options: a plugin may look at them for as long as its client lives. */
const held: unknown[] = [];

/** The struct PJRT_Program of StableHLO text. */
export function programOf(text: string) {
  const code = Buffer.from(text, 'utf8');
  const format = Buffer.from('mlir');
  return new Struct(STRUCTS.Program, {
    struct_size: STRUCTS.Program.size,
    code,
    code_size: code.length,
    format,
    format_size: format.length,
  });
}

/** The last axis first, as arrays of ours lie; without it a buffer comes as the device lays it out. */
export function rowMajor(rank: number) {
  const axes = BigInt64Array.from({ length: Math.max(1, rank) }, (_, i) => BigInt(Math.max(0, rank - 1 - i)));
  const { size, offsets } = STRUCTS.MemoryLayout;
  return new Struct(STRUCTS.MemoryLayout, {
    struct_size: size,
    tiled_struct_size: offsets.type - offsets.tiled_struct_size,
    minor_to_major: axes,
    minor_to_major_size: rank,
  });
}

/** A compiled program as bytes. */
export function serialized(api: PjrtApi, executable: bigint): Buffer {
  const args = api.call('Executable_Serialize', { executable });
  try {
    return Buffer.from(bytesAt(args.address('serialized_bytes'), args.number('serialized_bytes_size')));
  } finally {
    api.callPointer(args.address('serialized_executable_deleter'), args.address('serialized_executable'));
  }
}

/** Bytes on the device: what a program is handed, what it returns elsewhere, and what it holds while it runs. */
export interface MemoryStats {
  arguments: number;
  /** Without those that take the memory of an argument. */
  outputs: number;
  temporary: number;
}

export function memoryStatsOf(api: PjrtApi, executable: bigint): MemoryStats | undefined {
  try {
    const args = api.call('Executable_GetCompiledMemoryStats', { executable });
    return {
      arguments: args.number('argument_size_in_bytes'),
      outputs: args.number('output_size_in_bytes') - args.number('alias_size_in_bytes'),
      temporary: args.number('temp_size_in_bytes'),
    };
  } catch (error) {
    if (!MtcpError.is(error, 'engine')) throw error;
    return undefined;
  }
}
