// Rows that depend on other rows: which are found, what is refused, what of them is part of a trial's identity.
import { join } from 'node:path';
import { expect } from 'chai';
import { MtcpError, MtcpErrors } from '../../../registry/errors.js';
import { loadExperiment } from '../../../runners/config/load.js';
import type { LoadOptions } from '../../../runners/config/experiment.js';
import { writeResolved } from '../../../runners/config/resolved.js';
import { withSources } from '../../../runners/config/sources.js';
import type { TrialSpec } from '../../../runners/config/trial.js';
import { fakeSchemas, GOOD, write } from './support.js';

const ROWS = `rows:
  Joint: { weights: { rows: { semseg: STL semseg, depth: STL depth } } }
  Tuned: { weights: { rows: { model: Joint } }, train: { epochs: 3 } }
  STL semseg: { tasks: { depth: null, normals: null } }
  STL depth: { tasks: { semseg: null, normals: null }, model: { interaction: null } }
`;

describe('rows that depend on rows', () => {
  let schemas: string;
  before(() => {
    schemas = fakeSchemas();
  });

  const load = (text: string, options: LoadOptions = {}) =>
    loadExperiment(join(write({ 'x.yaml': text }), 'x.yaml'), { ...options, schemas });
  const rowsOf = (trials: readonly TrialSpec[]) => trials.map(({ row, seed }) => `${row} ${seed}`);
  const hashOf = (text: string, row: string) => load(text).trials.find((trial) => trial.row === row)!.hash;

  function faultsOf(text: string): readonly MtcpError[] {
    try {
      load(text);
    } catch (error) {
      if (error instanceof MtcpErrors) return error.errors;
      if (MtcpError.is(error)) return [error];
      throw error;
    }
    throw new Error('nothing was refused');
  }

  it('come after them, seed by seed, whatever the order of the file and the rows asked for', () => {
    const { trials } = load(`${GOOD}seeds: [0, 1]\n${ROWS}`, { rows: ['Tuned'] });
    expect(rowsOf(trials)).to.deep.equal(['Tuned 0', 'Tuned 1']);
    expect(rowsOf(withSources(trials))).to.deep.equal(
      [0, 1].flatMap((seed) => ['STL semseg', 'STL depth', 'Joint', 'Tuned'].map((row) => `${row} ${seed}`)),
    );
  });

  it('are other trials when those are, and the same under other names', () => {
    const good = hashOf(GOOD + ROWS, 'Tuned');
    expect(
      hashOf((GOOD + ROWS).replace('interaction: null', 'interaction: null, decoder: null'), 'Tuned'),
    ).not.to.equal(good);
    expect(hashOf((GOOD + ROWS).replaceAll('STL depth', 'Alone'), 'Tuned')).to.equal(good);
    // One that depends on nothing is the trial that it would be in a file without such rows.
    expect(hashOf(`${GOOD}rows: { Joint: {} }\n`, 'Joint')).to.equal(hashOf(GOOD, 'good'));
  });

  it('are in the resolved file, with everything that they depend on', () => {
    const trial = load(GOOD + ROWS).trials.find(({ row }) => row === 'Tuned')!;
    const [again, ...others] = load(writeResolved(trial)).trials;
    expect(again).to.include({ row: 'Tuned', hash: trial.hash });
    expect(new Set(others.map(({ row }) => row))).to.deep.equal(
      new Set(['STL semseg', 'STL depth', 'Joint']),
    );
    expect(withSources([again]).map(({ hash }) => hash)).to.deep.equal(
      withSources([trial]).map(({ hash }) => hash),
    );
  });

  it('name rows that there are', () => {
    const [fault] = faultsOf(GOOD + ROWS.replace('semseg: STL semseg', 'semseg: STL semsg'));
    expect(fault.message).to.equal('unknown row "STL semsg"');
    expect(fault.hint).to.contain('did you mean "STL semseg"?');
    expect(fault.where).to.match(/x\.yaml:\d+:\d+$/);
  });

  it('name parts that there are', () => {
    const [fault] = faultsOf(GOOD + ROWS.replace('depth: STL depth', 'decodr: STL depth'));
    expect(fault.message).to.equal('unknown task or part of the network "decodr"');
    expect(fault.hint).to.contain('did you mean "decoder"?');
  });

  it('do not go round in a circle', () => {
    const circle = ROWS.replace('STL depth: {', 'STL depth: { weights: { rows: { heads: Tuned } },');
    const messages = faultsOf(GOOD + circle).map(({ message }) => message);
    expect(messages).to.include('rows depend on each other: "Joint" -> "STL depth" -> "Tuned" -> "Joint"');
    expect(faultsOf(`${GOOD}rows: { A: { weights: { rows: { model: A } } } }\n`)[0].message).to.equal(
      'row "A" depends on itself',
    );
  });
});
