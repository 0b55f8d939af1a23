// The experiments that come with mtcp: each can be tried in a few steps, and each of its rows is an experiment of its own.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { createTrialContainer } from '../../../registry/container.js';
import { canonicalJson } from '../../../runners/config/trial.js';
import type { TrialSpec } from '../../../runners/config/index.js';
import { openExperiment } from '../../../runners/config/open.js';
import { assembled } from '../../../runners/model/assemble.js';
import { ROOT } from '../../support/rooms.js';

const FOLDER = join(ROOT, 'experiments');
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'));

/** Everything but the loss weighting, and what goes by it. */
const besidesScheme = ({ config }: TrialSpec): string => {
  const { scheme: _scheme, ...rest } = config;
  return canonicalJson(rest);
};

/** What losses are multiplied by in the last epoch, if they fall in every other epoch by other shares. */
function lastWeights(trial: TrialSpec): Record<string, number> {
  const { tasks } = assembled(trial);
  const scheme = createTrialContainer(tasks).create('scheme', trial.config.scheme);
  for (let epoch = 0; epoch < trial.config.train.epochs - 1; epoch++) {
    const raw = Object.fromEntries(tasks.map(({ name }, i) => [name, (i + 1) / (1 + epoch * (i + 1))]));
    scheme.epochEnd?.({ epoch, raw, projected: raw });
  }
  return scheme.weights();
}

describe('a shipped experiment', function () {
  this.timeout(60_000);

  it('is there', () => {
    expect(files).to.include.members(['table1.yaml', 'table2.yaml', 'fair.yaml', 'beyond.yaml', 'fig6.yaml']);
  });

  for (const file of files)
    it(`${file} has a smoke profile, in which all rows differ`, () => {
      const { trials, profile } = openExperiment(join(FOLDER, file), { profile: 'smoke' });
      expect(profile).to.equal('smoke');
      expect(new Set(trials.map(({ hash }) => hash)).size).to.equal(trials.length);
      for (const { row, config } of trials) {
        const [height, width] = config.augment.size as number[];
        expect(height * width, row).to.be.at.most(32 * 32);
        expect(config.data, row).to.include({ train: 4, val: 2 });
        expect(config.train.epochs, row).to.be.at.most(3);
      }
    });

  it('that compares spreads of LPS has other weights in every row at its end', () => {
    const { trials } = openExperiment(join(FOLDER, 'fig6.yaml'), { profile: 'smoke' });
    const weights = trials.map((trial) => JSON.stringify(lastWeights(trial)));
    expect(new Set(weights).size).to.equal(trials.length);
  });

  it('whose rows differ in a scheme that goes by epochs trains until its weights have changed', () => {
    for (const file of ['table4.yaml', 'schemes.yaml']) {
      const { trials } = openExperiment(join(FOLDER, file), { profile: 'smoke' });
      const lps = trials.filter(({ config }) => config.scheme.type === 'lps');
      expect(lps, file).not.to.have.length(0);
      for (const trial of lps) {
        const alike = trials.filter((other) => besidesScheme(other) === besidesScheme(trial));
        expect(alike.length, `${file}: ${trial.row}`).to.be.above(1);
        const weights = Object.values(lastWeights(trial));
        expect(new Set(weights).size, `${file}: ${trial.row}`).to.be.above(1);
      }
    }
  });
});
