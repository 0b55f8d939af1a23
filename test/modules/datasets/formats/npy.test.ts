import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { MtcpError } from '../../../../registry/errors.js';
import { encodeNpy, parseNpy, readNpy } from '../../../../modules/datasets/formats/npy.js';
import { reference, rejection } from '../../../support/reference.js';

const file = (name: string) => reference(`data/npy/${name}.npy`);
const range = Array.from({ length: 24 }, (_, i) => i);

describe('npy files', () => {
  const floats = range.map((i) => i * 0.75 - 3);
  const integers = range.map((i) => i - 7);
  const cases: [string, number[]][] = [
    ...['f2', 'f4', 'f8', 'f4be', 'fortran', 'v2', 'v3'].map((name): [string, number[]] => [name, floats]),
    ...['i4', 'i8', 'fortran-i4'].map((name): [string, number[]] => [name, integers]),
    ['u1', range],
    ['b1', range.map((i) => (i % 3 === 0 ? 1 : 0))],
  ];
  for (const [name, expected] of cases)
    it(`are read: ${name}`, async () => {
      const { data, shape } = await readNpy(file(name));
      expect(shape).to.deep.equal([2, 3, 4]);
      expect([...data]).to.deep.equal(expected);
    });

  it('keep NaN, infinity, scalars and empty arrays', async () => {
    expect([...(await readNpy(file('vector'))).data]).to.deep.equal([1.5, NaN, Infinity, -0]);
    expect(await readNpy(file('scalar'))).to.deep.include({ shape: [], data: Float32Array.of(2.5) });
    expect((await readNpy(file('empty'))).shape).to.deep.equal([0, 3]);
  });

  it('are written as numpy.save writes them', () => {
    const written = encodeNpy(Float32Array.from(floats), [2, 3, 4]);
    expect(Buffer.compare(written, readFileSync(file('f4')))).to.equal(0);
  });

  it('that are damaged or of another type say so and name the file', async () => {
    const whole = readFileSync(file('f4'));
    const problem = (bytes: Uint8Array) => {
      try {
        parseNpy(bytes, 'x.npy');
      } catch (error) {
        if (MtcpError.is(error, 'data')) return `${error.where}: ${error.message}`;
      }
      return 'no error';
    };
    expect(problem(whole.subarray(0, 4))).to.equal('x.npy: is not a .npy file (its first bytes are wrong)');
    expect(problem(whole.subarray(0, 40))).to.equal('x.npy: is truncated: it ends within the header');
    expect(problem(whole.subarray(0, whole.length - 5))).to.contain('needs 5 more bytes');
    expect(problem(Buffer.concat([whole, Buffer.alloc(2)]))).to.contain('2 bytes more');
    expect(problem(readFileSync(file('complex')))).to.contain('"<c8"');
    expect(problem(readFileSync(file('i8-wide')))).to.contain('1099511627776, which does not fit');
    const absent = await rejection(readNpy('/nowhere/depth.npy'));
    expect(absent.format()).to.equal('/nowhere/depth.npy: file not found');
  });
});
