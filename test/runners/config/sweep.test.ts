import { join } from 'node:path';
import { expect } from 'chai';
import { loadExperiment } from '../../../runners/config/load.js';
import type { LoadOptions } from '../../../runners/config/experiment.js';
import { fakeSchemas, GOOD, write } from './support.js';

describe('sweeps', () => {
  let schemas: string;
  before(() => {
    schemas = fakeSchemas();
  });
  const load = (text: string, options: LoadOptions = {}, files: Record<string, string> = {}) =>
    loadExperiment(join(write({ ...files, 'x.yaml': text }), 'x.yaml'), { ...options, schemas });

  it('multiply rows, cases, grid and zip in this order', () => {
    const { trials } = load(`${GOOD}
seeds: [0, 1]
rows: { a: { scheme: { type: equal } }, b: {} }
sweep:
  cases: { thin: { model: { backbone: { width: 8 } } }, wide: { model: { backbone: { width: 32 } } } }
  grid: { train.batch: [1, 2], augment.size: [[32, 32], [64, 64]] }
  zip: { optimizer.rate: [1e-3, 2e-3], train.epochs: [3, 4] }
`);
    expect(trials).to.have.length(2 * 2 * 2 * 4 * 2);
    const [first] = trials;
    expect(first.row).to.equal('a, thin, batch=1, size=[32, 32], rate=0.001, epochs=3');
    expect(first.config.scheme).to.deep.equal({ type: 'equal' });
    const last = trials.at(-1)!;
    expect(last.row).to.equal('b, wide, batch=2, size=[64, 64], rate=0.002, epochs=4');
    expect(last.config.model.backbone.width).to.equal(32);
    expect(last.config.augment.size).to.deep.equal([64, 64]);
    expect(last.config.optimizer.rate).to.equal(0.002);
    expect(last.config.train).to.include({ batch: 2, epochs: 4 });
    expect(new Set(trials.map(({ hash }) => hash)).size).to.equal(trials.length);
  });

  it('lie over profile and row, below arguments', () => {
    const text = `${GOOD}
profiles: { embedded: { train: { epochs: 7, batch: 7 } } }
rows: { a: { train: { epochs: 8, batch: 8 } } }
sweep: { grid: { train.epochs: [9] } }
`;
    const [{ config }] = load(text, { overrides: ['train.batch=10'] }).trials;
    expect(config.train).to.include({ epochs: 9, batch: 10 });
  });

  it('name values by the shortest end of their path that is theirs alone', () => {
    const { trials } = load(`${GOOD}
sweep: { grid: { tasks.depth.head.hidden: [8], tasks.normals.head.hidden: [16], model.backbone.width: [4] } }
`);
    expect(trials[0].row).to.equal('depth.head.hidden=8, normals.head.hidden=16, width=4');
  });

  it('take part in composition like other maps, and null removes them', () => {
    const base = {
      'base.yaml': `${GOOD}sweep: { grid: { train.batch: [1, 2, 3], train.epochs: [5, 6] } }\n`,
    };
    const rows = (text: string) => load(text, {}, base).trials.map(({ row }) => row);
    expect(rows('extends: base.yaml\nsweep: { grid: { train.batch: [4] } }\n')).to.deep.equal([
      'batch=4, epochs=5',
      'batch=4, epochs=6',
    ]);
    expect(rows('extends: base.yaml\nsweep: { grid: { train.batch: null } }\n')).to.deep.equal([
      'epochs=5',
      'epochs=6',
    ]);
    expect(rows('extends: base.yaml\nsweep: null\n')).to.deep.equal(['good']);
  });

  it('leave out excluded combinations, by value, name, row and case', () => {
    const { trials } = load(`${GOOD}
rows: { a: {}, b: {} }
sweep:
  cases: { one: {}, two: { train: { epochs: 3 } } }
  grid: { model.interaction: { plain: { type: cfm }, off: null } }
  exclude:
    - { row: a, case: one }
    - { model.interaction: off, case: two }
    - { row: b, model.interaction: { type: cfm } }
`);
    expect(trials.map(({ row }) => row)).to.deep.equal([
      'a, two, interaction=plain',
      'b, one, interaction=off',
    ]);
  });

  it('are chosen by combination or by the row they come from', () => {
    const text = `${GOOD}rows: { a: {}, b: {} }\nsweep: { rows: [a], grid: { train.batch: [1, 2] } }\n`;
    const rows = (...names: string[]) => load(text, { rows: names }).trials.map(({ row }) => row);
    expect(rows('a')).to.deep.equal(['a, batch=1', 'a, batch=2']);
    expect(rows('a, batch=2', 'b')).to.deep.equal(['a, batch=2', 'b']);
    const changed = load(text, { rows: ['a'], overrides: ['train.epochs=9'] }).trials;
    expect(changed.map(({ config }) => config.train.epochs)).to.deep.equal([9, 9]);
  });

  it('find a fault of a value where the value is written', () => {
    const text = `${GOOD}sweep: { grid: { train.epochs: [1, many] } }\n`;
    expect(() => load(text))
      .to.throw('train.epochs must be an integer, got "many"')
      .with.property('where')
      .that.matches(/x\.yaml:16:36$/);
  });
});
