// Reading and writing safetensors: every stored type against numbers written down by hand, damaged files.
import { expect } from 'chai';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSafetensors, SafetensorsFile, writeSafetensors } from '../../../runners/support/safetensors.js';
import { MtcpError } from '../../../registry/errors.js';

/** A file of one tensor with these bytes. */
function file(path: string, dtype: string, shape: number[], bytes: Uint8Array, end = bytes.length): string {
  const json = Buffer.from(JSON.stringify({ x: { dtype, shape, data_offsets: [0, end] } }));
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(BigInt(json.length));
  writeFileSync(path, Buffer.concat([start, json, bytes]));
  return path;
}

const bytesOf = (array: { buffer: ArrayBufferLike }) => new Uint8Array(array.buffer);

describe('safetensors', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'mtcp-safetensors-'))));
  after(() => rmSync(folder, { recursive: true }));

  const read = (dtype: string, shape: number[], bytes: Uint8Array) =>
    readSafetensors(file(join(folder, 'one.safetensors'), dtype, shape, bytes)).tensors.get('x')!;

  it('reads every type of number', () => {
    const values = [1, -2.5, 0.1];
    expect([...read('F64', [3], bytesOf(Float64Array.from(values))).data]).to.deep.equal(
      values.map(Math.fround),
    );
    expect([...read('F32', [3, 1], bytesOf(Float32Array.from(values))).data]).to.deep.equal(
      values.map(Math.fround),
    );
    // 1, -2, the largest finite, the smallest subnormal, infinity
    const halves = Uint16Array.from([0x3c00, 0xc000, 0x7bff, 0x0001, 0x7c00]);
    expect([...read('F16', [5], bytesOf(halves)).data]).to.deep.equal([1, -2, 65504, 2 ** -24, Infinity]);
    // 1, -2, 3.140625
    const brains = Uint16Array.from([0x3f80, 0xc000, 0x4049]);
    expect([...read('BF16', [3], bytesOf(brains)).data]).to.deep.equal([1, -2, 3.140625]);
    expect([...read('I64', [2], bytesOf(BigInt64Array.of(7n, -8n))).data]).to.deep.equal([7, -8]);
    expect(read('I64', [2], bytesOf(BigInt64Array.of(7n, -8n))).dtype).to.equal('int32');
    expect([...read('U8', [2], Uint8Array.of(0, 255)).data]).to.deep.equal([0, 255]);
    expect([...read('I8', [2], bytesOf(Int8Array.of(1, -1))).data]).to.deep.equal([1, -1]);
    expect([...read('I16', [1], bytesOf(Int16Array.of(-300))).data]).to.deep.equal([-300]);
  });

  it('converts tensors larger than its window', () => {
    const many = Uint16Array.from({ length: 700_001 }, (_, i) => (i % 2 ? 0x3c00 : 0xc000));
    const { data } = read('F16', [many.length], bytesOf(many));
    expect([data[0], data[524_287], data[524_288], data[700_000]]).to.deep.equal([-2, 1, -2, -2]);
  });

  it('writes tensors that are made one by one, and reads back what it wrote', () => {
    const path = join(folder, 'two.safetensors');
    const made: string[] = [];
    writeSafetensors(
      path,
      new Map([
        ['a', { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) }],
        ['b', { dtype: 'int32', shape: [1, 1], data: () => (made.push('b'), Int32Array.of(3)) }],
      ]),
      { note: 'hello' },
    );
    const { tensors, metadata } = readSafetensors(path);
    expect(metadata).to.deep.equal({ note: 'hello' });
    expect(made).to.deep.equal(['b']);
    expect([...tensors.get('a')!.data, ...tensors.get('b')!.data]).to.deep.equal([1, 2, 3]);
    expect(tensors.get('b')!.shape).to.deep.equal([1, 1]);
  });

  it('writes floats in half the space, and refuses what 16 bits cannot hold', () => {
    const path = join(folder, 'half.safetensors');
    const data = Float32Array.of(0.1, -2, 65504);
    writeSafetensors(path, new Map([['a', { dtype: 'float32', shape: [3], data, half: true }]]));
    const file = new SafetensorsFile(path);
    expect(file.tensors.get('a')).to.include({ dtype: 'F16' });
    expect([...file.read('a').data]).to.deep.equal([0.0999755859375, -2, 65504]);
    file.close();
    const large = { dtype: 'float32', shape: [1], data: Float32Array.of(70000), half: true } as const;
    expect(() => writeSafetensors(path, new Map([['a', large]]))).to.throw(/float16 cannot hold/);
  });

  it('leaves nothing behind when writing fails', () => {
    const path = join(folder, 'never.safetensors');
    const failing = {
      dtype: 'float32',
      shape: [1],
      data: () => {
        throw new Error('gone');
      },
    } as const;
    expect(() => writeSafetensors(path, new Map([['a', failing]]))).to.throw('gone');
    expect(readdirSync(folder).filter((name) => name.startsWith('never'))).to.deep.equal([]);
  });

  describe('takes nothing of a header on trust:', () => {
    const whole = { dtype: 'F32', shape: [2], data_offsets: [0, 8] };
    const cases: [string, string, string, number?][] = [
      ['not an object', '[]', 'must be object'],
      ['null', 'null', 'must be object'],
      ['offsets of null', JSON.stringify({ x: { ...whole, data_offsets: null } }), 'data_offsets'],
      ['no offsets', JSON.stringify({ x: { dtype: 'F32', shape: [2] } }), "property 'data_offsets'"],
      ['one offset', JSON.stringify({ x: { ...whole, data_offsets: [0] } }), 'data_offsets'],
      ['a fraction', JSON.stringify({ x: { ...whole, data_offsets: [0, 7.5] } }), 'must be integer'],
      ['a negative offset', JSON.stringify({ x: { ...whole, data_offsets: [-8, 0] } }), 'must be >= 0'],
      ['text', JSON.stringify({ x: { ...whole, data_offsets: ['0', '8'] } }), 'must be integer'],
      ['infinity', '{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,1e999]}}', 'must be integer'],
      ['offsets backwards', JSON.stringify({ x: { ...whole, data_offsets: [8, 0] } }), '-8 bytes'],
      ['a negative side', JSON.stringify({ x: { ...whole, shape: [-1, -2] } }), 'must be >= 0'],
      ['a shape of null', JSON.stringify({ x: { ...whole, shape: null } }), 'shape'],
      ['a huge shape', JSON.stringify({ x: { ...whole, shape: [2 ** 30, 2 ** 30] } }), 'more numbers than'],
      ['a type of Object', JSON.stringify({ x: { ...whole, dtype: 'constructor' } }), 'type constructor'],
      ['metadata that is no text', JSON.stringify({ __metadata__: { a: 1 }, x: whole }), 'must be string'],
      ['an overlap', JSON.stringify({ x: whole, y: { ...whole, data_offsets: [4, 12] } }), 'share bytes', 12],
      ['the same bytes', JSON.stringify({ x: whole, y: whole }), 'share bytes'],
      [
        'a gap',
        JSON.stringify({ x: whole, y: { ...whole, data_offsets: [12, 20] } }),
        '4 bytes before "y"',
        20,
      ],
      [
        'a gap at the begin',
        JSON.stringify({ x: { ...whole, data_offsets: [4, 12] } }),
        '4 bytes before',
        12,
      ],
      ['bytes at the end', JSON.stringify({ x: whole }), '3 bytes at the end', 11],
      [
        'a name twice',
        '{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"\\u0078":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}',
        '"x" twice',
      ],
      [
        'a key twice',
        '{"x":{"dtype":"F32","dtype":"I32","shape":[2],"data_offsets":[0,8]}}',
        '"dtype" twice',
      ],
    ];
    for (const [title, header, reason, size = 8] of cases)
      it(title, () => {
        const path = join(folder, 'hostile.safetensors');
        const start = Buffer.alloc(8);
        start.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
        writeFileSync(path, Buffer.concat([start, Buffer.from(header), Buffer.alloc(size)]));
        expect(() => new SafetensorsFile(path))
          .to.throw(MtcpError, reason)
          .with.property('where', path);
      });

    it('bytes that are no text', () => {
      const path = join(folder, 'hostile.safetensors');
      writeFileSync(path, Buffer.from([2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe]));
      expect(() => new SafetensorsFile(path)).to.throw(MtcpError, 'not UTF-8');
    });
  });

  it('notices any bit of its own files that is another', () => {
    const path = join(folder, 'own.safetensors');
    const tensor = { dtype: 'float32', shape: [3], data: Float32Array.of(1, 2, 3) } as const;
    writeSafetensors(
      path,
      new Map([
        ['7', tensor],
        ['ü', tensor],
      ]),
      { note: 'hello' },
    );
    const sound = readFileSync(path);
    const verify = () => {
      const file = new SafetensorsFile(path);
      try {
        file.verify();
      } finally {
        file.close();
      }
    };
    verify();
    // All but the key of the checksum itself, without which a file is somebody else's.
    const key = sound.indexOf('crc32');
    for (let at = 0; at < sound.length; at++) {
      if (at >= key && at < key + 5) continue;
      for (const bit of [1, 32]) {
        const bytes = Buffer.from(sound);
        bytes[at] ^= bit;
        writeFileSync(path, bytes);
        expect(verify, `byte ${at}, bit ${bit}`).to.throw(MtcpError);
      }
    }
  });

  it('names what is wrong with a file', () => {
    const bad = (path: string) => {
      try {
        new SafetensorsFile(path).close();
      } catch (error) {
        if (MtcpError.is(error, 'weights')) return error.message;
        throw error;
      }
      return 'nothing';
    };
    const path = join(folder, 'bad.safetensors');
    expect(bad(join(folder, 'absent'))).to.contain('file not found');
    expect(bad(file(path, 'F32', [2], new Uint8Array(4)))).to.contain('"x" has 4 bytes for 2');
    expect(bad(file(path, 'F32', [2], new Uint8Array(4), 8))).to.contain('4 bytes behind the end');
    expect(bad(file(path, 'Q4', [2], new Uint8Array(4)))).to.contain('type Q4');
    writeFileSync(path, 'short');
    expect(bad(path)).to.contain('5 bytes are too few');
    writeFileSync(path, Buffer.from('PK\u0003\u0004 this is a zip archive of a pickled model'));
    expect(bad(path)).to.match(/a header of \d+ bytes does not fit/);
  });
});
