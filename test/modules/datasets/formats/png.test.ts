import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { expect } from 'chai';
import { decode } from 'fast-png';
import {
  encodeLabelPng,
  parseLabelPng,
  readLabelPng,
  readRgbPng,
} from '../../../../modules/datasets/formats/png.js';
import { reference, rejection } from '../../../support/reference.js';

const file = (name: string) => reference(`data/png/${name}.png`);
const index = Array.from({ length: 5 * 13 }, (_, i) => (i * 7) % 41);

/** An image of 8 bits whose rows have these filters; what is filtered is made up. */
function filtered(filters: readonly number[], width: number, samples: 1 | 3): Buffer {
  const chunk = (type: string, data: Uint8Array) => {
    const named = Buffer.concat([Buffer.from(type), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(named));
    return Buffer.concat([length, named, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(filters.length, 4);
  header.set([8, samples === 1 ? 0 : 2], 8);
  const rows = filters.flatMap((filter, y) => [
    filter,
    ...Array.from({ length: samples * width }, (_, i) => (i * i * 37 + y * 101 + 13 * i) % 256),
  ]);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Uint8Array.from(rows))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

describe('png label maps', () => {
  it('are the same as in fast-png, whatever the filters of their rows', async () => {
    const root = mkdtempSync(join(tmpdir(), 'mtcp-png-'));
    const filters = [4, 3, 2, 1, 0, 4, 4, 3, 3, 2, 2, 1, 1, 0, 4, 2, 3];
    for (const width of [1, 2, 29]) {
      const grey = filtered(filters, width, 1);
      expect(parseLabelPng(grey, 'x').data, `width ${width}`).to.deep.equal(decode(grey).data);
      const rgb = filtered(filters, width, 3);
      writeFileSync(join(root, 'rgb.png'), rgb);
      expect((await readRgbPng(join(root, 'rgb.png'))).data, `width ${width}`).to.deep.equal(
        decode(rgb).data,
      );
    }
    expect((await rejection((async () => parseLabelPng(filtered([0, 5], 3, 1), 'x'))())).message).to.contain(
      'row 1 has the unknown filter 5',
    );
  });

  const cases: [string, (value: number) => number][] = [
    ['palette8', (v) => v],
    ['palette4', (v) => v % 11],
    ['palette2', (v) => v % 4],
    ['grey1', (v) => v % 2],
    ['grey8', (v) => v],
    ['grey16', (v) => v * 1000],
  ];
  for (const [name, expected] of cases)
    it(`give the stored numbers: ${name}`, async () => {
      const map = await readLabelPng(file(name));
      expect(map).to.include({ height: 5, width: 13, channels: 1 });
      expect([...map.data]).to.deep.equal(index.map(expected));
    });

  it('survive writing and reading', () => {
    const map = parseLabelPng(encodeLabelPng(Uint8Array.from(index), 13, 5), 'x');
    expect(map).to.include({ height: 13, width: 5 });
    expect([...map.data]).to.deep.equal(index);
  });

  it('that are coloured or damaged are refused', async () => {
    expect((await rejection(readLabelPng(file('rgb')))).message).to.contain('3 channels');
    const whole = readFileSync(file('grey8'));
    for (const bytes of [whole.subarray(0, 60), whole.subarray(0, 10), Buffer.from('GIF89a')])
      expect((await rejection((async () => parseLabelPng(bytes, 'x.png'))())).where).to.equal('x.png');
    const flipped = Buffer.from(whole);
    flipped[50] ^= 0xff;
    expect((await rejection((async () => parseLabelPng(flipped, 'x.png'))())).kind).to.equal('data');
  });
});
