// Arguments that apply where they fit, and the names of the rows that arguments change.
import { join } from 'node:path';
import { expect } from 'chai';
import { loadExperiment } from '../../../runners/config/load.js';
import type { LoadOptions } from '../../../runners/config/experiment.js';
import { fittedText } from '../../../runners/config/fit.js';
import { fakeSchemas, GOOD, write } from './support.js';

const FILE = `${GOOD.replace('name: good', 'name: x')}
rows:
  joint: { scheme: { type: dwa, temperature: 3 } }
  single: { scheme: { type: equal } }
  tuned: { scheme: { type: equal }, weights: { rows: { model: joint } } }
report: { delta_m: { semseg: joint }, printed: { source: s, rows: { joint: { delta_m: 1 } } } }
`;

describe('arguments that apply where they fit', () => {
  let schemas: string;
  before(() => {
    schemas = fakeSchemas();
  });
  const load = (overrides: string[], options: LoadOptions = {}, file = FILE) =>
    loadExperiment(join(write({ 'x.yaml': file }), 'x.yaml'), { ...options, overrides, schemas });
  const fitting = { whereItFits: true };

  it('an argument changes the rows that have the option and is reported with them', () => {
    const { trials, fitted } = load(['scheme.temperature=7.5'], fitting);
    expect(trials.map(({ config }) => config.scheme)).to.deep.equal([
      { type: 'dwa', temperature: 7.5 },
      { type: 'equal' },
      { type: 'equal' },
    ]);
    expect(fitted.map(fittedText)).to.deep.equal([
      'scheme.temperature=7.5 changes "joint"; it does not fit "single" and "tuned"',
    ]);
  });

  it('without the flag it is refused, and the message says how to apply it', () => {
    expect(() => load(['scheme.temperature=7.5']))
      .to.throw(/unknown option "temperature"/)
      .and.satisfy(isHinted);
    // An argument that no row accepts is not a question of fitting.
    expect(() => load(['scheme.nothing=1']))
      .to.throw()
      .and.not.satisfy(isHinted);
  });
  const isHinted = (error: { hint?: string }) => /--where-it-fits/.test(error.hint ?? '');

  it('an argument that fits no row is refused all the same', () => {
    expect(() => load(['scheme.nothing=1'], fitting)).to.throw(/problems found/);
    expect(() => load(['optimizer.rate=fast'], fitting)).to.throw(/rate/);
  });

  it('each argument fits by itself', () => {
    const { trials } = load(['train.epochs=5', 'scheme.temperature=2'], fitting);
    expect(trials.map(({ config }) => config.train.epochs)).to.deep.equal([5, 5, 5]);
    expect(trials.map(({ config }) => config.scheme.temperature)).to.deep.equal([2, undefined, undefined]);
  });
});

describe('variants of rows', () => {
  let schemas: string;
  before(() => {
    schemas = fakeSchemas();
  });
  const load = (overrides: string[], options: LoadOptions = {}, file = FILE) =>
    loadExperiment(join(write({ 'x.yaml': file }), 'x.yaml'), { ...options, overrides, schemas });
  const named = (overrides: string[], options: LoadOptions = {}) =>
    load(overrides, options).trials.map(({ row }) => row);
  const joint = { rows: ['joint'] };

  it('are named by what differs, in an order that does not depend on that of the arguments', () => {
    const both = ['train.epochs=5', 'scheme.temperature=7.5'];
    expect(named(both, joint)).to.deep.equal(['joint, temperature=7.5, epochs=5']);
    expect(named(both.toReversed(), joint)).to.deep.equal(named(both, joint));
    expect(named(['scheme={ type: equal }'], joint)).to.deep.equal(['joint, scheme=equal']);
  });

  it('of a long value the name has the type', () => {
    const exact = ['scheme={ type: dwa, temperature: 7.1234567890123 }'];
    expect(named(exact, joint)).to.deep.equal(['joint, scheme=dwa {...}']);
  });

  it('an argument that changes nothing, or nothing that counts, names nothing', () => {
    expect(named(['scheme.temperature=3'], joint)).to.deep.equal(['joint']);
    // What a file leaves out has its default.
    expect(named(['train.accumulate=1'], joint)).to.deep.equal(['joint']);
    expect(named(['train.workers=1'], joint)).to.deep.equal(['joint']);
    expect(named(['train.epochs=5', 'train.epochs=6'], joint)).to.deep.equal(['joint, epochs=6']);
  });

  it('what a report and other rows say about a row is about its variant', () => {
    const { trials, report, provenance } = load(['train.epochs=5']);
    expect(trials.map(({ row }) => row)).to.deep.equal([
      'joint, epochs=5',
      'single, epochs=5',
      'tuned, epochs=5',
    ]);
    expect(report.delta_m).to.deep.equal({ semseg: 'joint, epochs=5' });
    expect(Object.keys(report.printed!.rows)).to.deep.equal(['joint, epochs=5']);
    const tuned = trials[2];
    expect(tuned.config.weights.rows).to.deep.equal({ model: 'joint, epochs=5' });
    expect(tuned.sources['weights.rows.model']).to.equal(trials[0]);
    expect(provenance(tuned).locate('train.epochs')).to.match(/argument/);
    // Rows that were not chosen stay as they are.
    expect(load(['train.epochs=5'], { rows: ['tuned'] }).trials[0].config.weights.rows).to.deep.equal({
      model: 'joint',
    });
  });

  it('names do not change what a trial is', () => {
    const [argument] = load(['scheme.temperature=4'], joint).trials;
    const [written] = load(
      [],
      joint,
      FILE.replace(
        'joint: { scheme: { type: dwa, temperature: 3',
        'joint: { scheme: { type: dwa, temperature: 4',
      ),
    ).trials;
    expect(argument.config).to.deep.equal(written.config);
    expect(argument.hash).to.equal(written.hash);
  });

  it('a name that the file has already is told apart', () => {
    const file = FILE.replace('  single:', '  "joint, epochs=5": {}\n  single:');
    const names = load(['train.epochs=5'], joint, file).trials.map(({ row }) => row);
    expect(names).to.deep.equal(['joint, epochs=5 (argument)']);
  });
});
