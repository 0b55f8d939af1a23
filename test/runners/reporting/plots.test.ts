// Plots: drawn without a browser, the same on every machine, readable on any ground.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import sharp from 'sharp';
import { curves, seedsNote, type CurvePoint } from '../../../runners/reporting/plots/curves.js';
import { draw, drawPng, drawSvg } from '../../../runners/drawing/draw.js';
import { temporaryFolder } from '../../support/rooms.js';

const points = ['semseg', 'depth'].flatMap((panel) =>
  ['MT-CP', '<b>&'].flatMap((series) =>
    [1, 2, 3].map((epoch): CurvePoint => ({ epoch, seed: 0, series, panel, value: epoch * series.length })),
  ),
);

const plot = curves(points, { name: 'losses', title: 'Losses', y: 'loss' });

describe('plots', () => {
  it('draw a line for each series in each panel, and names as text', async () => {
    const svg = await drawSvg(plot);
    expect(svg.match(/aria-roledescription="line mark"/g)).to.have.length(4);
    for (const text of ['semseg', 'depth', 'MT-CP', '&lt;b&gt;&amp;', 'epoch', 'loss'])
      expect(svg).to.contain(`>${text}</text>`);
    expect(svg).not.to.contain('<b>');
  });

  it('draw every seed, and their mean over them', async () => {
    const more = points.map((point) => ({ ...point, seed: 1, value: point.value + 8 }));
    const several = curves([...points, ...more], { name: 'losses', title: 'Losses', y: 'loss' });
    const svg = await drawSvg(several);
    // Two panels of two series, each with two seeds and a mean.
    expect(svg.match(/aria-roledescription="line mark"/g)).to.have.length(12);
    // At epoch 1 the series MT-CP is 5 and 13.
    expect(svg).to.match(/epoch: 1; [^"]*9[^"]*MT-CP/);
    expect(seedsNote([1, 0, 1])).to.equal('mean (thick) and each of the seeds 0, 1 (thin)');
    expect(seedsNote([3, 3])).to.equal('seed 3');
  });

  it('take the colours of text from the page they stand in', async () => {
    const svg = await drawSvg(plot, { mode: 'page' });
    expect(svg).to.contain('fill="currentColor"').and.not.to.contain('fill="#222222"');
  });

  it('become pictures with text also where no font is installed', async () => {
    const plain = { data: { values: [{}] }, mark: 'text', width: 80, height: 20, view: { stroke: null } };
    const [empty, text] = await Promise.all(
      ['', 'mIoU ↑ ±'].map(async (value) => {
        const spec = { ...plain, encoding: { text: { value } } };
        const { data } = await sharp(await drawPng({ name: 'x', title: '', spec: spec as never }))
          .greyscale()
          .raw()
          .toBuffer({ resolveWithObject: true });
        return data.filter((v) => v < 128).length;
      }),
    );
    expect(empty).to.equal(0);
    expect(text).to.be.above(100);
  });

  it('are written as SVG, PNG and the specification with its data', async () => {
    const path = join(temporaryFolder(), 'plots', 'loss');
    await draw(plot, path);
    expect(readFileSync(`${path}.svg`, 'utf8')).to.match(/^<svg .*>Losses</s);
    const { width } = await sharp(`${path}.png`).metadata();
    expect(width).to.be.above(600);
    const spec = JSON.parse(readFileSync(`${path}.vl.json`, 'utf8')) as { data: { values: unknown[] } };
    expect(spec.data.values).to.have.length(points.length);
  });
});
