import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import {
  encodeMat,
  matNumber,
  matStructs,
  matText,
  parseMat,
  readMat,
  rowMajor,
  type MatNumbers,
  type MatValue,
} from '../../../../modules/datasets/formats/mat.js';
import { MtcpError } from '../../../../registry/errors.js';
import { reference } from '../../../support/reference.js';

const file = (name: string) => reference(`data/mat/${name}.mat`);
const range = Array.from({ length: 12 }, (_, i) => i);
const rows = (value: MatValue) => [...rowMajor(value as MatNumbers).data];

describe('MAT files', () => {
  for (const name of ['plain', 'compressed'])
    it(`are read: ${name}`, async () => {
      const mat = await readMat(file(name));
      expect(rows(mat.double)).to.deep.equal(range.map((i) => i / 4 - 1));
      expect(rows(mat.single)).to.deep.equal(range.map((i) => i / 8));
      expect(rows(mat.u8)).to.deep.equal(range);
      expect(rows(mat.u16)).to.deep.equal(range.map((i) => i * 5000));
      expect(rows(mat.i32)).to.deep.equal(range.map((i) => i - 6));
      expect(rows(mat.logical)).to.deep.equal(range.map((i) => (i % 2 === 0 ? 1 : 0)));
      expect(mat.text).to.deep.equal({ kind: 'text', text: 'a name' });
      const { items } = mat.cells as Extract<MatValue, { kind: 'cells' }>;
      expect(items).to.deep.equal([
        { kind: 'text', text: 'wall' },
        { kind: 'text', text: 'floor' },
      ]);
      const [nested] = (mat.nested as Extract<MatValue, { kind: 'structs' }>).items;
      expect([...(nested.a as MatNumbers).data]).to.deep.equal([1.5]);
      const [inner] = (nested.b as Extract<MatValue, { kind: 'structs' }>).items;
      expect(inner.c).to.deep.equal({ kind: 'text', text: 'deep' });
      expect((mat.empty as MatNumbers).shape).to.deep.equal([0, 0]);
    });

  it('give one variable alone', async () => {
    expect(Object.keys(await readMat(file('compressed'), 'u16'))).to.deep.equal(['u16']);
  });

  it('come back from writing', () => {
    const wide = Uint16Array.from({ length: 6 }, (_, i) => 300 * i);
    const objects = [
      { name: matText('dog'), mask: { kind: 'map', height: 2, width: 3, data: wide } as const },
    ];
    const bytes = encodeMat({ n: matNumber(459), list: matStructs(['name', 'mask'], objects) });
    const { n, list } = parseMat(bytes, 'memory');
    expect([...(n as MatNumbers).data]).to.deep.equal([459]);
    const [item] = (list as Extract<MatValue, { kind: 'structs' }>).items;
    expect(item.name).to.deep.equal({ kind: 'text', text: 'dog' });
    expect(rows(item.mask)).to.deep.equal([...wide]);
  });

  const failure = (bytes: Uint8Array): string => {
    try {
      parseMat(bytes, 'some.mat');
    } catch (error) {
      if (MtcpError.is(error, 'data')) return error.format();
    }
    throw new Error('no MtcpError');
  };

  it('are refused if they are cut off, of another version or hold what is not read', () => {
    const bytes = readFileSync(file('plain'));
    expect(failure(bytes.subarray(0, 300))).to.match(/some\.mat.*ends in the middle/s);
    expect(failure(Buffer.from('MATLAB 7.3 MAT-file'.padEnd(600)))).to.match(/version 7\.3.*-v7/s);
    expect(failure(Buffer.from('not a mat'))).to.include('not a MAT file');
    expect(failure(readFileSync(file('complex')))).to.include('sparse or complex');
    const squashed = Buffer.from(readFileSync(file('compressed')));
    squashed.fill(0xff, 140, 150);
    expect(failure(squashed)).to.include('cannot be read as a MAT file');
  });
});
