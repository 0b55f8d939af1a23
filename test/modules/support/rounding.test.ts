// Rounding in WebAssembly is the same to the last bit as the arithmetic of JavaScript.
import { expect } from 'chai';
import { decode, encoded, rounded } from '../../../modules/support/rounding.js';
import { randomStream } from '../../../registry/random.js';

const CODES = {
  normals: { shift: 1, scale: 255 / 2 },
  probabilities: { shift: 0, scale: 255 },
};

/** More than one block, an odd number, and values outside of the range. */
const random = randomStream('test', 'rounding');
const values = Float32Array.from({ length: 9001 }, () => 1.2 * random.normal());
values.set([0, 1, -1, 0.5, NaN, Infinity, -Infinity, -0]);

/** The same numbers, or both none. */
function same(actual: Float32Array, expected: Float32Array): void {
  expect(actual.length).to.equal(expected.length);
  expect(actual.findIndex((x, i) => !Object.is(x, expected[i]))).to.equal(-1);
}

describe('rounding to bytes', () => {
  for (const [name, code] of Object.entries(CODES))
    it(name, () => {
      const bytes = values.map((x) => (x + code.shift) * code.scale);
      const back = bytes.map((x) => Math.trunc(x) / code.scale - code.shift);
      same(encoded(values, code), bytes);
      same(rounded(values, code), back);
      same(decode(bytes, code), back);
      same(bytes, back);
    });

  it('into memory that is there, if there is room', () => {
    const code = CODES.probabilities;
    const [small, large] = [new Float32Array(2), new Float32Array(5)];
    const given = Float32Array.of(0, 0.5, 1);
    for (const into of [small, large])
      same(rounded(given, code, into), Float32Array.of(0, Math.fround(127 / 255), 1));
    expect([...small]).to.deep.equal([0, 0]);
    expect(rounded(given, code, large).buffer).to.equal(large.buffer);
  });
});
