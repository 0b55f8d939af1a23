// Writes messages of Protocol Buffers, as far as event files need them. A message is the concatenation of its fields.

const varint = (value: bigint): Buffer => {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Buffer.from(bytes);
};

const key = (field: number, wire: number): Buffer => varint(BigInt((field << 3) | wire));

/** int32, int64, uint64, bool, enum */
export const integer = (field: number, value: number): Buffer =>
  Buffer.concat([key(field, 0), varint(BigInt(Math.trunc(value)))]);

export function double(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([key(field, 1), bytes]);
}

export function float(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([key(field, 5), bytes]);
}

/** string, bytes, or a message */
export function bytes(field: number, value: string | Buffer | readonly Buffer[]): Buffer {
  const content =
    typeof value === 'string'
      ? Buffer.from(value)
      : Buffer.isBuffer(value)
        ? value
        : Buffer.concat([...value]);
  return Buffer.concat([key(field, 2), varint(BigInt(content.length)), content]);
}
