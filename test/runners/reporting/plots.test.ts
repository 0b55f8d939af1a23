// Plots: drawn without a browser, the same on every machine, readable on any ground.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import sharp from 'sharp';
import { curves, seedsNote, type CurvePoint } from '../../../runners/reporting/plots/curves.js';
import { draw, drawPng, drawSvg } from '../../../runners/drawing/draw.js';
import { withMarks } from '../../../runners/drawing/hover.js';
import { xmlText } from '../../../runners/support/escape.js';
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
    expect(svg).to.contain('aria-label="MT-CP, mean of 2 seeds, epoch 1: 9.000"');
    expect(seedsNote([1, 0, 1])).to.equal('mean (thick) and each of the seeds 0, 1 (thin)');
    expect(seedsNote([3, 3])).to.equal('seed 3');
  });

  it('name lines at their ends, apart from each other', () => {
    const close = ['a', 'b', 'c', 'd'].map((series, i): CurvePoint => ({
      epoch: 1,
      seed: 0,
      series,
      value: 1 + i / 1000,
    }));
    const far = { epoch: 1, seed: 0, series: 'e', value: 100 };
    const { spec } = curves([...close, far], { name: 'x', title: 'x', y: 'y', height: 160 });
    const { layer } = spec as unknown as {
      layer: { mark: { type: string }; data: { values: { labelY: number }[] } }[];
    };
    const heights = layer.find(({ mark }) => mark.type === 'text')!.data.values.map(({ labelY }) => labelY);
    const sorted = [...heights].sort((a, b) => a - b);
    expect(sorted).to.have.length(5);
    for (const [i, height] of sorted.slice(1).entries()) expect(height - sorted[i]).to.be.at.least(11.99);
    expect(sorted[0]).to.be.at.least(0);
    expect(sorted.at(-1)).to.be.at.most(160);
    // The order of the lines is that of the names.
    expect(heights[3]).to.be.below(heights[0]);
  });

  it('become small multiples where there are many series: a panel each, the others behind it', async () => {
    const rows = Array.from({ length: 11 }, (_, i) => `row ${i}`);
    const many = ['semseg', 'depth'].flatMap((panel) =>
      rows.flatMap((series, i) =>
        [1, 2].map((epoch): CurvePoint => ({ epoch, seed: 0, series, panel, value: i + epoch })),
      ),
    );
    const svg = await drawSvg(curves(many, { name: 'x', title: 'x', y: 'loss' }));
    for (const series of rows) expect(svg.split(`>${series}</text>`), series).to.have.length(1 + 2);
    // In each of 22 panels a line of its own and ten behind it.
    expect(svg.match(/aria-roledescription="line mark"/g)).to.have.length(22 * 11);
  });

  it('have values to hover over, of the row that they belong to', async () => {
    const labelled = points.map((point) => ({ ...point, row: point.series, series: `${point.series} (A)` }));
    const { marks, ...drawn } = curves(labelled, { name: 'x', title: 'x', y: 'y' });
    const svg = withMarks(await drawSvg(drawn), marks!, (name) => ['MT-CP', '<b>&'].indexOf(name), xmlText);
    expect(svg).to.contain('data-row="0" data-about="MT-CP (A), seed 0, epoch 2: 10.00"');
    expect(svg).to.contain('data-row="1" data-about="&#60;b&#62;&#38; (A), seed 0, epoch 3: 12.00"');
    expect(svg).not.to.contain('data-row="-1"');
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
    const spec = JSON.parse(readFileSync(`${path}.vl.json`, 'utf8')) as {
      concat: { layer: { data: { values: unknown[] } }[] }[];
    };
    const values = spec.concat.map(({ layer }) => layer[0].data.values.length);
    expect(values).to.deep.equal([points.length / 2, points.length / 2]);
  });
});
