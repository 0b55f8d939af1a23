import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { encodeLabelPng, parseLabelPng, readLabelPng } from '../../../../modules/datasets/formats/png.js';
import { reference, rejection } from '../../../support/reference.js';

const file = (name: string) => reference(`data/png/${name}.png`);
const index = Array.from({ length: 5 * 13 }, (_, i) => (i * 7) % 41);

describe('png label maps', () => {
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
