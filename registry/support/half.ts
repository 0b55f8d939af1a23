/** The number that 16 bits stand for, as IEEE 754 binary16. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const FLOAT = new Float32Array(1);
const BITS = new Uint32Array(FLOAT.buffer);

/** The 16 bits of the binary16 number nearest to a number; of two that are equally near, the even one. */
export function numberToHalf(value: number): number {
  FLOAT[0] = value;
  const bits = BITS[0];
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // 65520 and more is nearer to infinity than to 65504, the largest there is.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  // Below 2^-14 numbers are multiples of 2^-24; adding 2^-1 brings those bits to the end, and rounds.
  if (magnitude < 0x38800000) {
    FLOAT[0] = Math.abs(FLOAT[0]) + 0.5;
    return sign | (BITS[0] - 0x3f000000);
  }
  const odd = (magnitude >>> 13) & 1;
  return sign | ((magnitude - 0x38000000 + 0xfff + odd) >>> 13);
}
