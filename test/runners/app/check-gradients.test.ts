// A table may mix rows whose tasks share weights with rows that share none. Which is which must be known before the
// first row is trained.
import { expect } from 'chai';
import '../../../modules/index.js';
import { gradientFaults } from '../../../runners/app/check-gradients.js';
import { validateDeeply } from '../../../runners/app/validate.js';
import { loadExperiment } from '../../../runners/config/index.js';
import { experimentFile, TABLE3 } from '../../support/rooms.js';

const FROZEN = `
  frozen:
    tasks:
      semseg: &linear { head: { type: linear } }
      depth: *linear
      normals: *linear
    model: { decoder: null, fusion: null, interaction: null, refinement: null }
    train: { freeze: [backbone.*] }`;

describe('schemes that compare gradients', function () {
  this.timeout(120_000);

  it('are refused, before anything is trained, in rows whose tasks share no weights', async () => {
    const file = experimentFile(`scheme: { type: pcgrad }\nrows:\n  shared: {}${FROZEN}\n`);
    const [fault, ...others] = await validateDeeply([file], { profile: 'smoke' });
    expect(others).to.deep.equal([]);
    expect(fault.where).to.match(/:\d+:\d+$/);
    expect(fault.message).to.contain('no two tasks have parameters in common');
    expect(fault.frame).to.contain('in row "frozen"').and.to.contain('pcgrad');
    expect(fault.exitCode).to.equal(2);
  });

  it('name the argument that set them, and no flag that would not help', async () => {
    const experiment = loadExperiment(TABLE3, {
      profile: 'smoke',
      rows: ['STL depth', 'Linear probe'],
      overrides: ['scheme.type=pcgrad'],
    });
    const faults = await gradientFaults(experiment, experiment.trials);
    expect(faults).to.have.length(1);
    expect(faults[0].where).to.equal('argument "scheme.type=pcgrad"');
    expect(faults[0].frame).to.equal('in row "Linear probe, type=pcgrad"');
    expect(faults[0].hint).not.to.contain('--where-it-fits');
  });
});
