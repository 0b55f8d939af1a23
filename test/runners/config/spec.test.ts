// A trial is plain data: what a worker is handed is what was loaded, and nothing changes it afterwards.
import { join } from 'node:path';
import { expect } from 'chai';
import { codeOf } from '../../../runners/config/code.js';
import { loadExperiment, type TrialSpec } from '../../../runners/config/index.js';
import { digestsOfComponents } from '../../../runners/app/generate-digests.js';
import { ROOT, TABLE3 } from '../../support/rooms.js';

const FAIR = join(ROOT, 'experiments/beyond.yaml');

describe('a trial', () => {
  const experiment = loadExperiment(FAIR, { seeds: [0, 1] });

  it('is the same after JSON, with everything that it depends on', () => {
    expect(experiment.needed.some(({ sources }) => Object.keys(sources).length > 0)).to.equal(true);
    for (const trial of experiment.needed)
      expect(JSON.parse(JSON.stringify(trial)) as TrialSpec).to.deep.equal(trial);
  });

  it('is frozen at every depth', () => {
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' ||
      value === null ||
      (Object.isFrozen(value) && Object.values(value).every(frozen));
    for (const trial of experiment.needed) expect(frozen(trial), trial.row).to.equal(true);
    expect(() => void ((experiment.trials[0].config.train as { epochs: number }).epochs = 9)).to.throw(
      TypeError,
    );
  });

  it('names the code of its components, and of no others', () => {
    const [trial] = loadExperiment(TABLE3, { profile: 'smoke', rows: ['MT-CP'] }).trials;
    expect(trial.code).to.include.all.keys(
      'backbone/mask2former',
      'interaction/cfm',
      'scheme/lps',
      'dataset/embedded-rooms',
    );
    expect(trial.code).not.to.include.any.keys('scheme/dwa', 'backbone/resnet');
    expect(trial.code).to.deep.equal(codeOf(trial.config, []));
  });

  it('has digests of the code that runs', () => {
    const digests = digestsOfComponents();
    for (const trial of experiment.needed)
      for (const [name, digest] of Object.entries(trial.code)) expect(digest, name).to.equal(digests[name]);
  });

  it('comes after what it depends on', () => {
    const order = experiment.needed.map(({ row, seed }) => `${row} ${seed}`);
    for (const { row, seed, sources } of experiment.needed)
      for (const source of Object.values(sources))
        expect(order.indexOf(`${source.row} ${source.seed}`)).to.be.lessThan(order.indexOf(`${row} ${seed}`));
    expect(new Set(order).size).to.equal(order.length);
  });
});
