// Which classes are taken for which: counts, and the picture of them.
import '../../../modules/index.js';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import sharp from 'sharp';
import { IGNORE, type Task } from '../../../registry/contracts/tasks.js';
import { Confusion, confusionSvg } from '../../../runners/training/confusion.js';

const SEMSEG: Task = { name: 'semseg', kind: 'classes', channels: 3, classes: ['wall', '<floor>', 'bed'] };
const DEPTH: Task = { name: 'depth', kind: 'depth', channels: 1 };
const map = (...values: number[]) => ({
  height: 1,
  width: values.length,
  channels: 1,
  data: Uint8Array.from(values),
});

function counted(): Confusion {
  const confusion = new Confusion([SEMSEG, DEPTH]);
  for (const [label, prediction] of [
    [map(0, 0, 1, IGNORE), map(0, 1, 1, 2)],
    [map(0, 1, 1, 1), map(0, 0, 1, 2)],
  ])
    confusion.add({ sample: { labels: { semseg: label } } as never, compared: { semseg: prediction } });
  return confusion;
}

describe('confusion of classes', () => {
  it('counts known pixels, true classes by predicted ones', () => {
    expect(counted().of('semseg')).to.deep.equal([
      [2, 1, 0],
      [1, 2, 1],
      [0, 0, 0],
    ]);
    expect(counted().of('depth')).to.equal(undefined);
  });

  it('is drawn with shares of each true class', async () => {
    const svg = confusionSvg(SEMSEG, counted().of('semseg')!);
    const shares = [...svg.matchAll(/>(\d+)<\/text>/g)].map(([, share]) => Number(share));
    expect(shares).to.deep.equal([67, 33, 25, 50, 25]);
    expect(svg).to.include('&#60;floor&#62;').and.not.include('<floor>');
    const folder = mkdtempSync(join(tmpdir(), 'mtcp-confusion-'));
    await counted().write(folder);
    expect(readdirSync(folder)).to.deep.equal(['confusion.semseg.png']);
    const { width, height } = await sharp(readFileSync(join(folder, 'confusion.semseg.png'))).metadata();
    expect([width, height]).to.deep.equal([130 + 90 + 70, 130 + 90 + 10]);
  });
});
