// Reports in every format from results whose numbers are known; paired tests against SciPy.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { reportExperiment, type ExperimentReport } from '../../../runners/app/report.js';
import { pairedDifference } from '../../../runners/reporting/statistics.js';
import { textTable } from '../../../runners/reporting/table.js';
import { finishedExperiment, HOSTILE, MIOU, RMSE, writeResults } from '../../support/results.js';
import { ROOT } from '../../support/rooms.js';

const EXPECT = `  expect:
    MT-CP:
      depth.RMSE: { max: 0.6, better_than: STL depth }
      semseg.mIoU: { min: 40 }
      delta_m: { value: 16.7, within: 0.1 }
    never run: { depth.RMSE: { max: 9 } }`;

describe('a report', () => {
  const experiment = finishedExperiment(EXPECT);
  let report: ExperimentReport;

  before(async () => {
    await writeResults(experiment);
    report = reportExperiment(experiment.file, { runs: experiment.runs, profile: 'smoke' });
  });

  it('shows mean and deviation over seeds, the best of a column, delta-m and what never ran', () => {
    expect(report.text).to.match(/^MT-CP +31\.27 ± 1\.20\* +0\.5000 ± 0\.0200\* .*\+16\.67/m);
    expect(report.text).to.match(/^never run +queued/m);
    expect(report.text).to.contain('delta-m: mean relative gain over STL depth (depth)');
    expect(report.markdown).to.contain('| MT-CP | **31.27 ± 1.20** |');
  });

  it('compares rows seed by seed and says with which test', () => {
    expect(report.text).to.match(/-1\.20 \(p 0\.254\) +\+0\.0300 \(p 0\.095\)/);
    expect(report.text).to.contain('n = 3; p of the two-sided paired t-test');
  });

  it('never mixes what a paper printed with what was measured', () => {
    const [measured, , printed] = report.text.split('\n\n').filter((part) => part.startsWith('row '));
    expect(measured).not.to.contain('56.25');
    expect(printed).to.contain('56.25').and.to.contain('+7.10').and.not.to.contain('31.27');
  });

  it('says how alike the measured and the printed order of rows are, from three rows on', () => {
    expect(report.text).to.contain('the reverse): depth RMSE +0.50 (3 rows).');
  });

  it('escapes names in Markdown, LaTeX and CSV', () => {
    expect(report.markdown)
      .to.contain('\\<script\\>')
      .and.not.to.match(/\| <script>/);
    expect(report.latex).to.contain('\\textless{}script\\textgreater{}').and.to.contain('\\& "co"');
    expect(report.latex).to.contain('\\textbf{31.27 $\\pm$ 1.20}').and.to.contain('\\toprule');
    expect(report.csv).to.contain(`"${HOSTILE.replaceAll('"', '""')}",0,done,`);
  });

  it('gives every number of every trial as CSV', () => {
    const [header, ...lines] = report.csv.trim().split('\n');
    const column = header.split(',').indexOf('semseg.mIoU');
    expect(lines.slice(0, 3).map((line) => Number(line.split(',')[column]))).to.deep.equal(MIOU['MT-CP']);
    expect(lines).to.have.length(12);
    expect(lines.at(-1)).to.match(/^never run,2,queued,/);
  });

  it('checks what the experiment expects', async () => {
    const checked = report.checked.map(({ row, number, holds }) => [row, number, holds]);
    expect(checked).to.deep.equal([
      ['MT-CP', 'depth.RMSE', true],
      ['MT-CP', 'depth.RMSE', true],
      ['MT-CP', 'semseg.mIoU', false],
      ['MT-CP', 'delta_m', true],
      ['never run', 'depth.RMSE', false],
    ]);
    const main = join(ROOT, 'dist/runners/cli/main.js');
    const args = [
      'report',
      experiment.file,
      '--profile',
      'smoke',
      '--runs',
      experiment.runs,
      '--format',
      'json',
      '--check',
    ];
    const ended = await promisify(execFile)(process.execPath, [main, ...args]).catch(
      (error: unknown) => error,
    );
    expect(ended).to.include({ code: 3 });
    const { stdout, stderr } = ended as { stdout: string; stderr: string };
    expect(stderr).to.contain('MT-CP: semseg.mIoU is 31.27, expected at least 40');
    expect(stderr)
      .to.contain('never run: depth.RMSE is not measured')
      .and.to.contain('3 of 5 expectations hold');
    const { rows, delta_m } = JSON.parse(stdout) as {
      rows: { result: { metrics: object } }[];
      delta_m: object;
    };
    expect(rows[0].result.metrics).to.include({ 'semseg.IoU.wall': MIOU['MT-CP'][0] + 10 });
    expect(delta_m)
      .to.have.property('MT-CP')
      .that.is.closeTo(100 / 6, 1e-9);
  });

  it('leaves expectations of rows alone that were not asked for', () => {
    const { checked } = reportExperiment(experiment.file, {
      runs: experiment.runs,
      profile: 'smoke',
      rows: ['MT-CP'],
    });
    expect(checked.map(({ expected }) => expected)).to.deep.equal([
      'at most 0.6',
      'at least 40',
      '16.7 ± 0.1',
    ]);
  });
});

describe('the paired t-test', () => {
  it('agrees with scipy.stats.ttest_rel', () => {
    const a = [31.2, 30.1, 32.5, 29.9, 31.7];
    const b = [29.8, 30.3, 30.1, 29.0, 30.2];
    expect(pairedDifference(a, b).p).to.be.closeTo(0.04779883691782186, 1e-12);
    expect(pairedDifference(a.slice(0, 2), b.slice(0, 2)).p).to.be.closeTo(0.5903344706017329, 1e-12);
    expect(pairedDifference(RMSE[HOSTILE], RMSE['MT-CP']).mean).to.be.closeTo(0.03, 1e-12);
  });

  it('agrees with scipy.stats.t for other numbers of pairs', () => {
    // 2 * t.cdf(-2.5, df); differences with mean 1 and the deviation that makes t = 2.5.
    const known = {
      2: 0.12961172022151082,
      3: 0.08770664700806556,
      6: 0.0465282322841673,
      9: 0.033861827682985735,
    };
    for (const [degrees, p] of Object.entries(known)) {
      const count = Number(degrees) + 1;
      const shape = Array.from({ length: count }, (_, i) => i - (count - 1) / 2);
      const scale = Math.sqrt(shape.reduce((sum, v) => sum + v * v, 0) / (count - 1));
      const values = shape.map((v) => 1 + ((v / scale) * Math.sqrt(count)) / 2.5);
      expect(
        pairedDifference(
          values,
          values.map(() => 0),
        ).p,
      ).to.be.closeTo(p, 1e-12);
    }
  });

  it('says nothing for one pair, or where nothing varies', () => {
    expect(pairedDifference([1], [0])).to.deep.equal({ mean: 1, count: 1 });
    expect(pairedDifference([1, 2], [0, 1])).to.deep.equal({ mean: 1, count: 2 });
  });
});

describe('a text table', () => {
  it('marks the best without moving the others', () => {
    const columns = [{ title: 'row' }, { title: 'x', align: 'right' as const }];
    const lines = textTable(columns, [
      ['a', { text: '10.5', standing: 'best' }],
      ['b', '9.5'],
    ]).split('\n');
    expect(lines.slice(2)).to.deep.equal(['a    10.5*', 'b     9.5']);
  });
});
