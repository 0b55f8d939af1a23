// Figures for papers: of the width that was asked for, as vectors, with embedded fonts and text that can be selected.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { expect } from 'chai';
import { MtcpError } from '../../../registry/errors.js';
import { paperFigure, paperFont } from '../../../runners/drawing/pdf.js';
import { curves, type CurvePoint } from '../../../runners/reporting/plots/curves.js';
import { pending } from '../../support/pending.js';
import { temporaryFolder } from '../../support/rooms.js';

const points = ['semseg', 'depth'].flatMap((panel) =>
  ['MT-CP', 'a & b'].flatMap((series) =>
    [1, 2, 3].map((epoch): CurvePoint => ({ epoch, seed: 0, series, panel, value: epoch * series.length })),
  ),
);

const make = (total: number) =>
  curves(points, { name: 'losses', title: 'Losses', y: 'loss', layout: { total, size: 8 } });

/** The drawing instructions of a PDF. */
function instructions(pdf: Buffer): string {
  const text = pdf.toString('latin1');
  return [...text.matchAll(/stream\n([\s\S]*?)\nendstream/g)]
    .map(([, data]) => {
      try {
        return inflateSync(Buffer.from(data, 'latin1')).toString('latin1');
      } catch {
        return '';
      }
    })
    .join('\n');
}

describe('figures for papers', () => {
  for (const width of [240, 496.8])
    it(`are ${width} points wide, as SVG and PDF`, async () => {
      const font = await paperFont('serif');
      const { svg, pdf, height } = await paperFigure(make, { width, size: 8, font });
      expect(svg).to.match(new RegExp(`^<svg [^>]*width="${width}pt" height="${height.toFixed(2)}pt"`));
      expect(svg).to.contain('font-family="\'DejaVu Serif\', serif"').and.to.contain('>a &amp; b</text>');
      const text = pdf.toString('latin1');
      expect(text).to.match(/^%PDF-1\.\d/);
      const [, w, h] = /\/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]/.exec(text)!;
      expect(Number(w)).to.equal(width);
      expect(Number(h)).to.be.closeTo(height, 0.01);
      expect(text)
        .to.match(/\/FontFile2 /)
        .and.to.contain('DejaVuSerif');
      // Text has the size of the paper's, nearly: 8 points times what makes the width exact.
      const sizes = [...svg.matchAll(/font-size="([\d.]+)px"/g)].map(([, size]) => Number(size));
      const [, whole] = /viewBox="0 0 ([\d.]+)/.exec(svg)!;
      for (const size of sizes) expect((size * width) / Number(whole)).to.be.within(6.5, 10.5);
      const drawn = instructions(pdf);
      // Curves, in the colour of the first row, and no picture.
      expect(drawn).to.match(/0 0\.44\d+ 0\.69\d+ SCN/);
      expect(drawn.match(/\bc\n/g)!.length).to.be.above(12);
      expect(text).not.to.contain('/Subtype /Image');
    });

  it('keep points where they are: a circle for each, at its place', async () => {
    const { pdf, svg, width } = await paperFigure(make, {
      width: 300,
      size: 8,
      font: await paperFont('sans'),
    });
    const [, whole] = /viewBox="0 0 ([\d.]+)/.exec(svg)!;
    const scale = width / Number(whole);
    // Where circles begin: right of their middles.
    const starts = [...instructions(pdf).matchAll(/([\d.]+) [\d.]+ m\n[\d. ]+ l\n[\d. ]+ c\n/g)].map(
      ([, x]) => Number(x),
    );
    expect(starts).to.have.length(12);
    // Three epochs in each panel; panels stand side by side or one above the other.
    const places = new Set(starts.map((x) => x.toFixed(1)));
    expect(places.size).to.be.oneOf([3, 6]);
    for (const x of starts) expect(x / scale).to.be.within(0, Number(whole));
  });

  it('are read by other programs, with their text', async function () {
    this.timeout(60_000);
    if (spawnSync('pdftotext', ['-v']).error)
      return pending(this, 'there is no pdftotext; apt-get install poppler-utils');
    const { pdf } = await paperFigure(make, { width: 240, size: 8, font: await paperFont('serif') });
    const path = join(temporaryFolder(), 'a.pdf');
    writeFileSync(path, pdf);
    const { stdout, stderr } = spawnSync('pdftotext', [path, '-'], { encoding: 'utf8' });
    expect(stderr).to.equal('');
    for (const text of ['semseg', 'depth', 'MT-CP', 'a & b', 'epoch', 'loss'])
      expect(stdout.replace(/ /g, '')).to.contain(text.replace(/ /g, ''));
    const fonts = spawnSync('pdffonts', [path], { encoding: 'utf8' })
      .stdout.split('\n')
      .slice(2)
      .filter(Boolean);
    for (const line of fonts) expect(line).to.match(/ yes yes yes /);
  });

  it('take a font file, and name what is none', async () => {
    const require = createRequire(import.meta.url);
    const file = require.resolve('dejavu-fonts-ttf/ttf/DejaVuSansMono.ttf');
    expect(await paperFont(file)).to.include({ family: 'DejaVu Sans Mono', regular: file });
    for (const name of ['times', require.resolve('dejavu-fonts-ttf/package.json')]) {
      const error: unknown = await paperFont(name).catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(MtcpError).with.property('hint').that.contains('sans, serif');
    }
  });
});
