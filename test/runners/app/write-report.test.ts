// A report is written even if a row, a picture, a check or the work itself fails.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { reportExperiment } from '../../../runners/app/report.js';
import { runExperiment } from '../../../runners/app/run.js';
import { writeReport } from '../../../runners/app/write-report.js';
import { finishedExperiment, writeResults } from '../../support/results.js';
import { DEPTH_ONLY, experimentFile, temporaryFolder } from '../../support/rooms.js';

describe('writing a report', function () {
  this.timeout(60_000);

  it('leaves out what cannot be made, says so, and writes the rest', async () => {
    const experiment = finishedExperiment('  expect: { MT-CP: { depth.rmse: { max: 1 } } }');
    await writeResults(experiment);
    const made = reportExperiment(experiment.file, { runs: experiment.runs, profile: 'smoke' });
    // Where a file should go there is a folder.
    for (const name of ['weights.svg', 'report.json']) mkdirSync(join(made.folder, name));
    const warnings: string[] = [];
    const { missing, report } = await writeReport(made.experiment, made.rows, {
      folder: made.folder,
      trials: made.experiment.trials,
      constant: { metrics: {} },
      page: true,
      warn: (message) => warnings.push(message),
    });
    expect(missing).to.deep.equal(['report.json', 'check of report.expect', 'picture weights']);
    expect(warnings).to.have.length(3);
    expect(warnings[1]).to.contain('no number "depth.rmse"').and.to.contain('depth.RMSE');
    expect(report.text).to.match(/^MT-CP +31\.27/m);
    expect(readFileSync(join(made.folder, 'report.md'), 'utf8')).to.equal(report.markdown);
    for (const name of ['report.html', 'cost.svg'])
      expect(existsSync(join(made.folder, name))).to.equal(true);
  });

  it('comes after work that broke off, which is still told', async () => {
    const file = experimentFile(`rows:\n  one: ${DEPTH_ONLY}\n`);
    const runs = temporaryFolder();
    let asked = 0;
    let isPrepared = false;
    const broken = await runExperiment(file, {
      profile: 'smoke',
      runs,
      observe: ({ event }) => (isPrepared ||= event === 'data'),
      stopRequested() {
        // With the data prepared, it is the loop over trials that asks first.
        if (isPrepared && asked++ === 0) throw new Error('the machine is on fire');
        return false;
      },
    }).catch((error: Error) => error);
    expect(broken).to.be.instanceOf(Error).with.property('message', 'the machine is on fire');
    expect(readFileSync(join(runs, 'test', 'report.md'), 'utf8')).to.contain('| one | queued |');
  });

  it('reports other rows beside one that cannot be built', () => {
    const file = experimentFile(
      `rows:\n  good: ${DEPTH_ONLY}\n  bad: { train: { batch: 4, accumulate: 3 } }\n`,
    );
    const { text } = reportExperiment(file, { runs: temporaryFolder(), profile: 'smoke' });
    expect(text)
      .to.match(/^good +queued/m)
      .and.to.match(/^bad +queued/m);
  });
});
