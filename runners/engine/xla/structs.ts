// C structs in buffers: fields by name, at the offsets that alignment on 64-bit platforms gives.
import koffi from 'koffi';

/** `pointer` and `size` are 8 bytes, `int` 4, `bool` 1. */
export type FieldType = 'pointer' | 'size' | 'int64' | 'int' | 'bool';
export type Fields = Readonly<Record<string, FieldType>>;

const BYTES: Readonly<Record<FieldType, number>> = { pointer: 8, size: 8, int64: 8, int: 4, bool: 1 };

export interface Layout<F extends Fields> {
  readonly fields: F;
  readonly offsets: Readonly<Record<keyof F, number>>;
  /** Up to the end of the last field: what `struct_size` says. */
  readonly size: number;
}

export function layoutOf<const F extends Fields>(fields: F): Layout<F> {
  const offsets: Record<string, number> = {};
  let at = 0;
  for (const [name, type] of Object.entries(fields)) {
    at = Math.ceil(at / BYTES[type]) * BYTES[type];
    offsets[name] = at;
    at += BYTES[type];
  }
  return { fields, offsets: offsets as Record<keyof F, number>, size: at };
}

/** What may be written into a field: a number, an address, or memory whose address is meant. */
export type FieldValue = number | bigint | boolean | NodeJS.ArrayBufferView | Struct<Fields>;
export type Values<F extends Fields> = { readonly [K in keyof F]?: FieldValue };

/** One struct in memory; keeps alive what its fields point to. */
export class Struct<F extends Fields> {
  readonly memory: Buffer;
  readonly #held: unknown[] = [];

  constructor(
    readonly layout: Layout<F>,
    values: Values<F> = {},
  ) {
    // Room behind the last field, so that the size is a multiple of what the compiler may have rounded up to.
    this.memory = Buffer.alloc(Math.ceil(layout.size / 8) * 8);
    for (const [name, value] of Object.entries(values) as [keyof F, FieldValue | undefined][])
      if (value !== undefined) this.set(name, value);
  }

  set(name: keyof F, value: FieldValue): void {
    const at = this.layout.offsets[name];
    const type = this.layout.fields[name];
    if (typeof value === 'object') {
      this.#held.push(value);
      this.memory.writeBigUInt64LE(addressOf(value instanceof Struct ? value.memory : value), at);
    } else if (type === 'bool') this.memory.writeUInt8(Number(value), at);
    else if (type === 'int') this.memory.writeInt32LE(Number(value), at);
    else this.memory.writeBigInt64LE(BigInt.asIntN(64, BigInt(value)), at);
  }

  /** A pointer or a size as it stands there. */
  address(name: keyof F): bigint {
    return this.memory.readBigUInt64LE(this.layout.offsets[name]);
  }

  number(name: keyof F): number {
    const at = this.layout.offsets[name];
    const type = this.layout.fields[name];
    if (type === 'bool') return this.memory.readUInt8(at);
    return type === 'int' ? this.memory.readInt32LE(at) : Number(this.memory.readBigInt64LE(at));
  }
}

/** Where memory of ours lies. It has to stay reachable for as long as the address is used. */
export const addressOf = (memory: NodeJS.ArrayBufferView): bigint => BigInt(koffi.address(memory));

/** Memory that lists of addresses point into, by the list: V8 knows nothing of a number that is an address. */
const pointedAt = new WeakMap<Buffer, unknown>();

/** A list of addresses as C wants it; keeps alive what they are addresses of. */
export function addresses(values: readonly (bigint | NodeJS.ArrayBufferView)[]): Buffer {
  const list = Buffer.alloc(8 * Math.max(1, values.length));
  values.forEach((value, i) =>
    list.writeBigUInt64LE(typeof value === 'bigint' ? value : addressOf(value), 8 * i),
  );
  pointedAt.set(list, values);
  return list;
}

/** A copy of bytes that C wrote. */
export const bytesAt = (address: bigint, length: number): Uint8Array =>
  length === 0 ? new Uint8Array() : (koffi.decode(address, 'uint8_t', length) as Uint8Array);

/** Text that C wrote. */
export const textAt = (address: bigint, length: number): string =>
  Buffer.from(bytesAt(address, length)).toString('utf8');

export const addressAt = (base: bigint, index: number): bigint =>
  BigInt(koffi.decode(base, index * 8, 'uint64_t') as number | bigint);
