// What PJRT takes and returns besides numbers, in its forms: options by name, programs, compiled programs as bytes, and what
// they take on a device.
import { MtcpError } from '../../../registry/errors.js';
import type { PjrtApi } from './api.js';
import { NAMED_VALUE, STRUCTS } from './pjrt-table.js';
import { bytesAt, Struct } from './structs.js';

export function namedValues(options: readonly [string, string | number | boolean][]): Buffer {
  const size = Math.ceil(STRUCTS.NamedValue.size / 8) * 8;
  const list = Buffer.alloc(size * Math.max(1, options.length));
  options.forEach(([key, given], i) => {
    const name = Buffer.from(key);
    const text = typeof given === 'string' ? Buffer.from(given) : undefined;
    const value = new Struct(STRUCTS.NamedValue, {
      struct_size: STRUCTS.NamedValue.size,
      name,
      name_size: name.length,
      type: text ? NAMED_VALUE.string : typeof given === 'boolean' ? NAMED_VALUE.bool : NAMED_VALUE.int64,
      value: text ?? (given as number | boolean),
      value_size: text?.length ?? 1,
    });
    value.memory.copy(list, size * i);
    held.push(name, text);
  });
  return list;
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

/** A compiled program as bytes. */
export function serialized(api: PjrtApi, executable: bigint): Buffer {
  const args = api.call('Executable_Serialize', { executable });
  try {
    return Buffer.from(bytesAt(args.address('serialized_bytes'), args.number('serialized_bytes_size')));
  } finally {
    api.callPointer(args.address('serialized_executable_deleter'), args.address('serialized_executable'));
  }
}

/** Bytes on the device: what a program is handed, what it returns, and what it holds while it runs. */
export interface MemoryStats {
  arguments: number;
  outputs: number;
  temporary: number;
}

export function memoryStatsOf(api: PjrtApi, executable: bigint): MemoryStats | undefined {
  try {
    const args = api.call('Executable_GetCompiledMemoryStats', { executable });
    return {
      arguments: args.number('argument_size_in_bytes'),
      outputs: args.number('output_size_in_bytes'),
      temporary: args.number('temp_size_in_bytes'),
    };
  } catch (error) {
    if (!MtcpError.is(error, 'engine')) throw error;
    return undefined;
  }
}
