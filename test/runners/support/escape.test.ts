// Text from elsewhere on its way into something with a syntax of its own; and everything that the command line prints.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import { openExperiment } from '../../../runners/config/open.js';
import { reportExperiment } from '../../../runners/app/report.js';
import { drawSvg } from '../../../runners/drawing/draw.js';
import {
  csvField,
  latexText,
  markdownText,
  oneLine,
  printable,
  xmlText,
} from '../../../runners/support/escape.js';
import { writeResult } from '../../support/results.js';
import { DEPTH_ONLY, experimentFile, ROOT, temporaryFolder } from '../../support/rooms.js';

// Clears the screen, sets a title, reverses the text, ends lines and cells.
const HOSTILE = 'a\u001b[2J\u009b1m\u001b]0;b\u0007\u202ec\r\nd|e & f\\g';
/** The same, as far as names of rows may have it. */
const NAME = 'a\u202ec d|e & f\\g';
/** Every control character but newline, and what reverses text. */
const OBEYED = /(?!\n)[\p{Cc}\u202a-\u202e\u2066-\u2069]/u;

describe('text from elsewhere', () => {
  it('is shown by a terminal', () => {
    expect(printable('plain, ± 1 µm\n\tdeeper')).to.equal('plain, ± 1 µm\n\tdeeper');
    expect(printable('\u001b[2J\u009b\u0000\r')).to.equal('\\u001b[2J\\u009b\\u0000\\r');
    expect(oneLine('a\nb\tc')).to.equal('a\\nb\\tc');
  });

  it('stays text in Markdown, LaTeX, CSV and XML', () => {
    expect(markdownText('a|b *c* _d_ [e](f) `g` <h> ~i~ &amp; $j$\\')).to.equal(
      'a\\|b \\*c\\* \\_d\\_ \\[e\\](f) \\`g\\` \\<h\\> \\~i\\~ \\&amp; \\$j\\$\\\\',
    );
    expect(latexText('50 % of $x_1^2$ & #3 {~} \\')).to.equal(
      '50 \\% of \\$x\\_1\\textasciicircum{}2\\$ \\& \\#3 \\{\\textasciitilde{}\\} \\textbackslash{}',
    );
    // After \\ these would be its argument and its star.
    expect(latexText('[1mm] * |')).to.equal('{[}1mm] {*} \\textbar{}');
    expect(csvField('a, "b"\nc')).to.equal('"a, ""b""\\nc"');
    expect(['=1', '+1', '-1', '@x', '\t=1'].map(csvField)).to.deep.equal([
      "'=1",
      "'+1",
      "'-1",
      "'@x",
      '\\t=1',
    ]);
    expect([1.5, -2, NaN, null, undefined].map(csvField)).to.deep.equal(['1.5', '-2', '', '', '']);
    expect(xmlText(`<a b="c">&'\u0000`)).to.equal('&#60;a b=&#34;c&#34;&#62;&#38;&#39;\\u0000');
  });
});

describe('a row with a hostile name', function () {
  this.timeout(120_000);
  const file = experimentFile(`title: ${JSON.stringify(HOSTILE)}
rows:
  base: ${DEPTH_ONLY}
  ${JSON.stringify(NAME)}: ${DEPTH_ONLY.replace(/ }$/, ', optimizer: { rate: 0.5 } }')}
report: { delta_m: { depth: base } }
`);
  const runs = temporaryFolder();
  const options = { profile: 'smoke' };
  before(() => {
    for (const trial of openExperiment(file, options).trials)
      writeResult(runs, trial, {
        metrics: { 'depth.RMSE': null },
        absent: { 'depth.RMSE': HOSTILE },
        data: { caption: HOSTILE, digest: '0', notes: [HOSTILE] },
      });
  });

  it('breaks no table and reaches no terminal', async () => {
    const report = reportExperiment(file, { runs, ...options });
    const { text, markdown, latex, csv } = report;
    for (const made of [text, markdown, latex, csv, await report.html()]) expect(made).not.to.match(OBEYED);
    const table = markdown.split('\n').filter((line) => line.startsWith('|'));
    const bars = table.map((line) => line.replaceAll('\\|', '').split('|').length);
    expect(new Set(bars).size).to.equal(1);
    expect(table).to.have.length(4);
    const [header, ...lines] = csv.trimEnd().split('\n');
    expect(lines).to.have.length(2);
    expect(header).to.match(/^row,/);
    const body = latex.split('\n').filter((line) => line.endsWith('\\\\'));
    const cells = body.map((line) => line.replaceAll('\\&', '').split('&').length);
    expect(new Set(cells).size).to.equal(1);
  });

  it('is shown by every command that names it', () => {
    const main = join(ROOT, 'dist/runners/cli/main.js');
    for (const args of [
      ['report', file, '--profile', 'smoke', '--runs', runs],
      ['report', file, '--profile', 'smoke', '--runs', runs, '--format', 'json'],
      // Errors, too.
      ['plan', file, '--row', `${HOSTILE}?`],
    ]) {
      const { stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
      expect(stdout + stderr, args.join(' ')).not.to.match(OBEYED);
      expect(stdout + stderr, args.join(' ')).to.contain('[2J');
      if (args.includes('json')) expect(() => JSON.parse(stdout)).not.to.throw();
    }
  });

  it('can be drawn', async () => {
    const svg = await drawSvg({
      name: 'x',
      title: HOSTILE,
      spec: { data: { values: [{ a: HOSTILE }] }, mark: 'text', encoding: { text: { field: 'a' } } } as never,
    });
    expect(svg).not.to.match(OBEYED);
    expect(svg).to.contain('\\u001b[2J').and.to.contain('&amp;');
  });
});
