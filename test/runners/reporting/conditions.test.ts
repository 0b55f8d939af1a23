// Rows are compared with rows under the same conditions: a caption for each group of them, the best within a group, and
// delta-m only against baselines that were scored alike.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { openExperiment } from '../../../runners/config/open.js';
import { reportExperiment, type ExperimentReport } from '../../../runners/app/report.js';
import { writeResult } from '../../support/results.js';
import { DEPTH_ONLY, experimentFile } from '../../support/rooms.js';

const options = { profile: 'smoke' };
const RMSE: Record<string, number> = {
  base: 0.6,
  better: 0.5,
  longer: 0.4,
  'longer, worse': 0.45,
  larger: 0.3,
  elsewhere: 0.2,
  unquantized: 0.1,
  flipped: 0.05,
};

const only = (more: string) => DEPTH_ONLY.replace(/ }$/, `, ${more} }`);

function reportOf(rows: string): ExperimentReport {
  const file = experimentFile(`rows:\n${rows}report: { delta_m: { depth: base } }\n`);
  const runs = mkdtempSync(join(tmpdir(), 'mtcp-test-'));
  for (const trial of openExperiment(file, options).trials)
    writeResult(runs, trial, {
      metrics: { 'depth.RMSE': RMSE[trial.row] },
      data: {
        caption: trial.row === 'elsewhere' ? 'other rooms' : 'toy rooms',
        digest: trial.row === 'elsewhere' ? '1' : '0',
        notes: [],
      },
    });
  return reportExperiment(file, { runs, ...options });
}

describe('rows under different conditions', () => {
  const report = reportOf(`  base: ${DEPTH_ONLY}
  better: ${only('optimizer: { rate: 0.5 }')}
  longer: ${only('train: { epochs: 9 }')}
  longer, worse: ${only('train: { epochs: 9 }, optimizer: { rate: 0.5 }')}
  larger: ${only('augment: { size: [64, 64] }')}
  elsewhere: ${only('data: { train: 5 }')}
  unquantized: ${only('evaluate: { quantize: false }')}
  flipped: ${only('evaluate: { flip: true }')}
`);
  const line = (row: string) => report.text.split('\n').find((text) => text.startsWith(`${row}  `))!;

  it('have a caption and a best number for each group', () => {
    expect(report.json.rows.map(({ under }) => under)).to.deep.equal([
      'A',
      'A',
      'B',
      'B',
      'C',
      'D',
      'E',
      'F',
    ]);
    expect(report.text).to.match(/^A: Trained here: toy rooms, .*images of 32x32, 1 epoch, /m);
    expect(report.text).to.match(/^B: Trained here: toy rooms, .* 9 epochs, /m);
    expect(report.text).to.match(/^C: Trained here: toy rooms, .*images of 64x64, /m);
    expect(report.text).to.match(/^D: Trained here: other rooms, /m);
    expect(report.text).to.match(/^E: .*evaluation sv without 8-bit values/m);
    expect(report.text).to.match(/^F: .*predictions averaged over flips and scales 1\./m);
    expect(line('better')).to.match(/ A +0\.5000\* /);
    expect(line('longer')).to.match(/ B +0\.4000\*/);
    // The only one of its group has nothing to be better than.
    for (const row of ['larger', 'elsewhere', 'unquantized', 'flipped'])
      expect(line(row)).not.to.contain('*');
  });

  it('mark or refuse delta-m across groups', () => {
    expect(line('better')).to.contain('+16.67');
    expect(line('longer')).to.match(/\+33\.33¹/);
    expect(line('larger')).to.match(/\+50\.00¹/);
    expect(line('elsewhere')).to.match(/-²/);
    expect(report.text).to.contain('¹ delta-m against baselines trained under other conditions (A).');
    expect(report.text).to.contain('² delta-m: base was scored under other conditions (A).');
    expect(report.json.delta_m).to.have.keys(
      'base',
      'better',
      'longer',
      'longer, worse',
      'larger',
      'flipped',
    );
  });

  it('are told apart in LaTeX, CSV, plots and on the page', async () => {
    expect(report.latex).to.contain('B: Trained here: toy rooms').and.to.contain('\\textbf{0.4000}');
    expect(report.latex.match(/\\textbf/g)).to.have.length(2);
    const [header, ...lines] = report.csv
      .trim()
      .split('\n')
      .map((text) => text.split(','));
    const column = (name: string) => lines.map((fields) => fields[header.indexOf(name)]);
    expect(column('under')).to.include('E');
    const larger = report.csv.split('\n').find((text) => text.startsWith('larger,'));
    expect(larger).to.contain('64x64');
    const cost = report.plots.find(({ name }) => name === 'cost')!;
    const { concat } = cost.spec as unknown as { concat: { data: { values: { row: string }[] } }[] };
    const named = concat[0].data.values.map(({ row }) => row);
    expect(named).to.include.members(['base (A)', 'longer (B)']);
    expect(cost.title).to.contain('conditions');
    const page = await report.html();
    expect(page).to.contain('D: Trained here: other rooms').and.to.contain('+33.33<sup>1</sup>');
    expect(report.markdown).to.contain('| A | **0.5000** |');
  });

  it('are one group where they differ in what is compared', () => {
    const same = reportOf(`  base: ${DEPTH_ONLY}\n  better: ${only('optimizer: { rate: 0.5 }')}\n`);
    expect(same.text).not.to.match(/^A: /m);
    expect(same.text.split('\n')[2]).not.to.contain('under');
    expect(same.text).to.match(/^Trained here: toy rooms/m);
  });
});
