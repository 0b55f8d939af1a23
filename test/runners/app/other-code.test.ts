// A result of the same configuration and other code is no result of today's trial, and whoever looks for it is told.
import { renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import '../../../modules/index.js';
import { otherCodeNote } from '../../../runners/app/other-code.js';
import { writeResolved } from '../../../runners/config/resolved.js';
import { openExperiment } from '../../../runners/config/open.js';
import { RunFolder } from '../../../runners/store/ledger/run-folder.js';
import { finishedExperiment, writeResults } from '../../support/results.js';
import { ROOT } from '../../support/rooms.js';

const MAIN = join(ROOT, 'dist/runners/cli/main.js');

describe('results of other code', function () {
  this.timeout(60_000);

  it('are named where a trial is queued again, and only if the configuration is the same', async () => {
    const made = finishedExperiment();
    const { file, runs } = made;
    await writeResults(made);
    const experiment = openExperiment(file, { profile: 'smoke' });
    const [first, second] = experiment.trials.filter(({ row }) => row === 'MT-CP');
    for (const trial of [first, second])
      writeFileSync(join(new RunFolder(runs, trial).path, 'resolved.yaml'), writeResolved(trial));
    expect(otherCodeNote(runs, experiment.trials)).to.equal(undefined);

    // As if they had been trained before the code of a component changed.
    const before = [first, second].map((trial) => {
      const { path } = new RunFolder(runs, trial);
      const old = path.replace(/[0-9a-f]{8}$/, '0badc0de');
      renameSync(path, old);
      return old;
    });
    const note = otherCodeNote(runs, experiment.trials);
    expect(note)
      .to.match(/^2 queued trials were trained before/)
      .and.to.contain(before[0]);
    const mtcp = (...words: string[]) =>
      spawnSync(process.execPath, [MAIN, ...words], {
        encoding: 'utf8',
        env: { ...process.env, NO_COLOR: '1' },
      });
    const shown = mtcp('report', file, '--profile', 'smoke', '--runs', runs);
    expect(shown.stderr).to.contain('2 queued trials were trained before');
    expect(shown.stdout).not.to.contain('trained before');
    const differs = mtcp('config', 'diff', before[0], `${file}#MT-CP`, '--profile', 'smoke');
    expect(differs.stdout).to.contain('the code of components is another');

    const other = openExperiment(file, { profile: 'smoke', overrides: ['train.epochs=3'] });
    expect(otherCodeNote(runs, other.trials)).to.equal(undefined);
    expect(dirname(before[0])).to.equal(join(runs, 'test'));
  });
});
