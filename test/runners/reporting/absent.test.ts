// A value that there is not stays one on its way to every form of a report: never 0, never the best, in no mean and no
// delta-m, and with its reason.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { openExperiment } from '../../../runners/config/open.js';
import { reportExperiment, type ExperimentReport } from '../../../runners/app/report.js';
import { primaryMetrics } from '../../../runners/model/primary-metrics.js';
import { buildReport } from '../../../runners/reporting/report.js';
import { trialNote, taskMetrics } from '../../../runners/tracking/mlflow/entities.js';
import { writeResult } from '../../support/results.js';
import { DEPTH_ONLY, experimentFile } from '../../support/rooms.js';

const NO_DEPTH = 'no pixel of the split has a known depth';
const FILE = `seeds: [0, 1]
rows:
  full: {}
  no depth: { model: { interaction: null } }
  one seed: { model: { refinement: null } }
  STL depth: ${DEPTH_ONLY}
report:
  delta_m: { depth: STL depth }
  expect: { no depth: { depth.RMSE: { max: 1 }, delta_m: { min: 0 } } }
`;

const metrics = (depth: number | null) => ({
  metrics: { 'semseg.mIoU': 30, 'depth.RMSE': depth, 'normals.mErr': 20 },
  ...(depth === null && { absent: { 'depth.RMSE': NO_DEPTH } }),
});

describe('a report with values that are absent', () => {
  const file = experimentFile(FILE);
  const runs = mkdtempSync(join(tmpdir(), 'mtcp-test-'));
  const options = { profile: 'smoke' };
  const { trials } = openExperiment(file, options);
  let report: ExperimentReport;

  before(() => {
    for (const trial of trials) {
      if (trial.row === 'STL depth') writeResult(runs, trial, { metrics: { 'depth.RMSE': 0.6 } });
      else if (trial.row === 'no depth') writeResult(runs, trial, metrics(null));
      else if (trial.row === 'one seed') writeResult(runs, trial, metrics(trial.seed === 0 ? 0.5 : null));
      else writeResult(runs, trial, metrics(0.5));
    }
    report = reportExperiment(file, { runs, ...options });
  });

  it('shows a dash and says why; the best and delta-m are of what there is', () => {
    const line = (row: string) => report.text.split('\n').find((text) => text.startsWith(`${row} `))!;
    expect(line('no depth')).to.match(/^no depth +30\.00 ± 0\.00 +-¹ +20\.00 ± 0\.00 +-²/);
    expect(line('full')).to.match(/^full +30\.00 ± 0\.00 +0\.5000 ± 0\.0000\* .*\+16\.67/);
    expect(line('one seed')).to.match(/ 0\.5000\*?³? +20/);
    expect(line('STL depth')).to.match(/0\.6000 ± 0\.0000 /);
    expect(report.text).to.contain(`¹ depth RMSE: ${NO_DEPTH}.`);
    expect(report.text).to.contain(`² delta-m: depth.RMSE of no depth: ${NO_DEPTH}.`);
    expect(report.text).to.contain(`³ depth RMSE: mean over seed 0; without a value: 1 (${NO_DEPTH}).`);
    expect(report.text).not.to.match(/NaN|null/);
  });

  it('says the same in Markdown, LaTeX, CSV, JSON and on the page', async () => {
    expect(report.markdown).to.contain('| -¹ |').and.to.contain(`¹ depth RMSE: ${NO_DEPTH}.`);
    expect(report.latex).to.contain('-$^{1}$').and.to.contain(`$^{1}$ depth RMSE: ${NO_DEPTH}.`);
    const [header, ...lines] = report.csv
      .trim()
      .split('\n')
      .map((text) => text.split(','));
    const none = lines.filter(([row]) => row === 'no depth');
    expect(none.map((fields) => fields[header.indexOf('depth.RMSE')])).to.deep.equal(['', '']);
    expect(none.map((fields) => fields[header.indexOf('absent')])).to.deep.equal(
      Array(2).fill(`depth.RMSE: ${NO_DEPTH}`),
    );
    const json = report.json.rows.find(({ row }) => row === 'no depth')!;
    expect(json.metrics['depth.RMSE']).to.equal(null);
    expect(json.absent).to.deep.equal({ 'depth.RMSE': NO_DEPTH });
    expect(report.json.delta_m).to.have.keys('full', 'one seed', 'STL depth');
    const page = await report.html();
    expect(page).to.contain('-<sup>1</sup>').and.to.contain(`depth RMSE: ${NO_DEPTH}.`);
    // Configurations may say null; measurements may not.
    expect(page.slice(0, page.indexOf('<section id="configurations"'))).not.to.match(/NaN|null/);
  });

  it('fails what is expected of it, and says why', () => {
    expect(report.checked.map(({ number, holds, absent }) => [number, holds, absent])).to.deep.equal([
      ['depth.RMSE', false, NO_DEPTH],
      ['delta_m', false, `depth.RMSE of no depth: ${NO_DEPTH}`],
    ]);
  });

  it('holds for the constant predictor', () => {
    const made = buildReport(
      report.experiment,
      report.rows,
      { metrics: { 'semseg.mIoU': 1, 'depth.RMSE': null }, absent: { 'depth.RMSE': NO_DEPTH } },
      primaryMetrics(trials),
    );
    expect(made.text).to.match(/^constant predictor +1\.00 +-¹ +-$/m);
    expect(made.json.constant).to.deep.equal({ 'semseg.mIoU': 1, 'depth.RMSE': null });
  });

  it('is not sent to a tracker as a number, and its note says why', () => {
    const { metrics: values, absent } = metrics(null);
    expect(taskMetrics('val', values, 1, 1).map(({ key }) => key)).to.deep.equal([
      'val/semseg/mIoU',
      'val/normals/mErr',
    ]);
    const [{ result }] = report.rows.filter(({ trial }) => trial.row === 'no depth');
    const started = { event: 'started', row: 'a', seed: 0, hash: 'x', data: result!.data } as const;
    const note = trialNote(started, 'e', { result });
    expect(absent).to.have.property('depth.RMSE');
    expect(note).to.contain('| depth.RMSE | - |').and.to.contain(`-: ${NO_DEPTH}.`);
  });

  it('says when no epoch could be the best', () => {
    const best = experimentFile(`rows:\n  a: { evaluate: { selection: { rule: best, split: test } } }\n`);
    const folder = mkdtempSync(join(tmpdir(), 'mtcp-test-'));
    for (const trial of openExperiment(best, options).trials) writeResult(folder, trial, metrics(null));
    expect(reportExperiment(best, { runs: folder, ...options }).text).to.contain(
      'No evaluation had a score to choose an epoch by, so the weights are those of the last: a.',
    );
  });
});
