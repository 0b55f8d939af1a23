// The section sweep.search, and the rows of its proposals.
import { join } from 'node:path';
import { expect } from 'chai';
import { searchFolder, writeProposal } from '../../../runners/config/proposals.js';
import { checkFiles, loadExperiment } from '../../../runners/config/load.js';
import type { LoadOptions } from '../../../runners/config/experiment.js';
import { drawn, type RangeParameter } from '../../../runners/config/search-space.js';
import { fakeSchemas, GOOD, write } from './support.js';

const SEARCH = `
    type: random
    over:
      optimizer.rate: { from: 1e-4, to: 1e-1, log: true }
      scheme.temperature: { from: 1, to: 4 }
      scheme.type: [dwa, equal]
    trials: 4`;
const file = (search = SEARCH, more = '') => `${GOOD}
rows: { joint: { scheme: { type: dwa } }, other: {} }
sweep:
  rows: [joint]
  search: ${search}
${more}`;

describe('sweep.search', () => {
  let schemas: string;
  before(() => {
    schemas = fakeSchemas();
  });
  const folderOf = (text: string) => write({ 'x.yaml': text });
  const load = (text: string, options: LoadOptions = {}) => {
    const folder = folderOf(text);
    return {
      folder,
      experiment: loadExperiment(join(folder, 'x.yaml'), { schemas, runs: folder, ...options }),
    };
  };
  const faults = (text: string) =>
    checkFiles([join(folderOf(text), 'x.yaml')], { schemas }).errors.map(({ message }) => message);

  it('keeps its row, and adds one for each proposal, named by its values', () => {
    const ranges = SEARCH.replace('\n      scheme.type: [dwa, equal]', '');
    const { folder, experiment } = load(file(ranges));
    expect(experiment.trials.map(({ row }) => row)).to.deep.equal(['joint', 'other']);
    const home = searchFolder(folder, 'good', experiment.search!.spec);
    writeProposal(home, { index: 2, point: { 'optimizer.rate': 0.02, 'scheme.temperature': 3.5 } });
    writeProposal(home, { index: 1, point: { 'optimizer.rate': 0.01, 'scheme.temperature': 2 } });
    // Another process was faster.
    writeProposal(home, { index: 1, point: { 'optimizer.rate': 0.09, 'scheme.temperature': 2 } });
    const again = loadExperiment(join(folder, 'x.yaml'), { schemas, runs: folder });
    expect(again.trials.map(({ row }) => row)).to.deep.equal([
      'joint',
      'joint, rate=0.01, temperature=2',
      'joint, rate=0.02, temperature=3.5',
      'other',
    ]);
    expect(again.trials[2].config.scheme).to.deep.include({ type: 'dwa', temperature: 3.5 });
    expect(again.trials[2].config.optimizer).to.include({ rate: 0.02 });
    // The row stands for all that the search made of it.
    const chosen = loadExperiment(join(folder, 'x.yaml'), { schemas, runs: folder, rows: ['joint'] });
    expect(chosen.trials).to.have.length(3);
    // Another space is another search.
    expect(load(file(ranges.replace('to: 4', 'to: 5'))).experiment.search!.spec.digest).not.to.equal(
      experiment.search!.spec.digest,
    );
  });

  it('sets a type before the options, in whatever order they are written', () => {
    const text = file(`
    type: random
    over: { scheme.temperature: { from: 1, to: 4 }, scheme.type: [dwa] }
    trials: 1`).replace('joint: { scheme: { type: dwa } }', 'joint: { scheme: { type: equal } }');
    const { folder, experiment } = load(text);
    const home = searchFolder(folder, 'good', experiment.search!.spec);
    writeProposal(home, { index: 1, point: { 'scheme.temperature': 3, 'scheme.type': 'dwa' } });
    const [, made] = loadExperiment(join(folder, 'x.yaml'), { schemas, runs: folder }).trials;
    expect(made.row).to.equal('joint, temperature=3, scheme=dwa');
    expect(made.config.scheme).to.deep.equal({ type: 'dwa', temperature: 3 });
  });

  it('gives trials of successive halving their rungs, and another identity', () => {
    const asha = (type: string) => {
      const text = file(`
    type: ${type}
    over: { optimizer.rate: { from: 1e-4, to: 1e-1 } }
    trials: 2
    reduction: 2`);
      const overrides = ['train.epochs=9'];
      const { folder, experiment } = load(text, { overrides });
      writeProposal(searchFolder(folder, 'good', experiment.search!.spec), {
        index: 1,
        point: { 'optimizer.rate': 0.01 },
      });
      return loadExperiment(join(folder, 'x.yaml'), { schemas, runs: folder, overrides }).trials[1];
    };
    const [halved, whole] = [asha('asha'), asha('random')];
    expect(halved.halving!.rungs).to.deep.equal([1, 2, 4, 8]);
    expect(whole.halving).to.equal(undefined);
    expect(halved.hash).not.to.equal(whole.hash);
    expect(halved.config).to.deep.equal(whole.config);
  });

  it('is checked with both ends of every range before anything is proposed', () => {
    expect(faults(file(SEARCH.replace('\n      scheme.type: [dwa, equal]', '')))).to.deep.equal([]);
    expect(faults(file(SEARCH.replace('from: 1, to: 4', 'from: -1, to: 4'))).join()).to.match(/temperature/);
    // temperature is no option of equal.
    expect(faults(file()).join()).to.match(/unknown option "temperature"/);
  });

  it('refuses what is no range, no budget, or two things at once', () => {
    const one = (over: string, more = 'trials: 4') =>
      faults(file(`{ type: random, over: { optimizer.rate: ${over} }, ${more} }`)).join();
    expect(one('{ from: 1, to: 0.1 }')).to.match(/from below to/);
    expect(one('{ from: 0, to: 1, log: true }')).to.match(/begins above 0/);
    expect(one('{ from: 1, to: 2, base: 3 }')).to.match(/unknown option "base"/);
    expect(one('{ from: 1, to: 2, step: 3 }')).to.match(/step/);
    expect(one('{ from: 0.1, to: 1 }', 'seed: 1')).to.match(/no budget/);
    expect(faults(file(SEARCH, '  grid: { train.batch: [1, 2] }')).join()).to.match(/cannot be combined/);
    expect(faults(file().replace('rows: [joint]', 'rows: [joint, other]')).join()).to.match(/varies one row/);
  });

  it('draws numbers whose name is the number, within the range', () => {
    const range: RangeParameter = {
      kind: 'range',
      path: 'a.b',
      name: 'b',
      from: 1e-5,
      to: 1e-2,
      log: true,
      step: null,
      mark: undefined as never,
    };
    expect([0, 0.5, 1].map((share) => drawn(range, share))).to.deep.equal([1e-5, 0.0003162, 1e-2]);
    const whole = { ...range, from: 2, to: 8, step: 2, log: false };
    expect([0, 0.3, 0.6, 0.9999].map((share) => drawn(whole, share))).to.deep.equal([2, 4, 6, 8]);
  });
});
