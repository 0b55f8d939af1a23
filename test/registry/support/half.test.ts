// Numbers of 16 bits, against their definition: all 65,536 of them there and back, and rounding halfway between two.
import { expect } from 'chai';
import { halfToNumber, numberToHalf } from '../../../registry/support/half.js';

describe('binary16', () => {
  it('keeps every number that it has', () => {
    const changed: number[] = [];
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = halfToNumber(bits);
      const kept = Number.isNaN(value)
        ? Number.isNaN(halfToNumber(numberToHalf(value)))
        : numberToHalf(value) === bits;
      if (!kept) changed.push(bits);
    }
    expect(changed).to.deep.equal([]);
  });

  it('rounds to the nearest, of two to the even one', () => {
    const wrong: number[] = [];
    for (let bits = 0; bits < 0x7bff; bits++) {
      const [low, high] = [halfToNumber(bits), halfToNumber(bits + 1)];
      const middle = (low + high) / 2;
      const even = bits + (bits & 1);
      const right =
        numberToHalf(middle) === even &&
        numberToHalf(-middle) === (0x8000 | even) &&
        numberToHalf(low + (high - low) * 0.49) === bits &&
        numberToHalf(low + (high - low) * 0.51) === bits + 1;
      if (!right) wrong.push(bits);
    }
    expect(wrong).to.deep.equal([]);
  });

  it('makes what is too large infinite', () => {
    const seen = [65519, 65520, -1e9, Infinity].map((value) => halfToNumber(numberToHalf(value)));
    expect(seen).to.deep.equal([65504, Infinity, -Infinity, Infinity]);
  });
});
