import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { display } from '../../../runners/config/compose.js';
import { loadExperiment } from '../../../runners/config/load.js';
import type { LoadOptions } from '../../../runners/config/experiment.js';
import { writeResolved } from '../../../runners/config/resolved.js';
import { fakeSchemas, GOOD, write } from './support.js';

const NYUD = GOOD.replace('{ type: embedded-rooms }', '{ type: nyud-v2, root: "${root}" }');

describe('variables', () => {
  let schemas: string;
  before(() => {
    schemas = fakeSchemas();
  });
  const load = (folder: string, options: LoadOptions = {}) =>
    loadExperiment(join(folder, 'x.yaml'), { ...options, schemas }).trials;
  const only = (text: string, options: LoadOptions = {}) => load(write({ 'x.yaml': text }), options)[0];
  const EPOCHS = GOOD.replace('epochs: 2', 'epochs: "${epochs}"');

  it('have the type of their value', () => {
    expect(only(`${EPOCHS}variables: { epochs: 5 }\n`).config.train.epochs).to.equal(5);
    const flip = GOOD.replace('{ type: sv }', '{ type: sv, flip: "${flip}", size: ["${h}", 64] }');
    expect(only(`${flip}variables: { flip: false, h: 32 }\n`).config.augment)
      .to.include({ flip: false })
      .and.deep.include({ size: [32, 64] });
  });

  it('are set by profiles, rows, sweeps and arguments, the last one winning', () => {
    const text = `${EPOCHS}
variables: { epochs: 1 }
profiles: { embedded: { variables: { epochs: 2 } } }
rows: { a: {}, b: { variables: { epochs: 3 } } }
sweep: { rows: [b], grid: { variables.epochs: [4, 5] } }
`;
    const epochs = (options?: LoadOptions) =>
      load(write({ 'x.yaml': text }), options).map(({ row, config }) => `${row}: ${config.train.epochs}`);
    expect(epochs()).to.deep.equal(['a: 2', 'b, epochs=4: 4', 'b, epochs=5: 5']);
    expect(epochs({ rows: ['a'], overrides: ['variables.epochs=9'] })).to.deep.equal(['a, epochs=9: 9']);
  });

  it('read the environment only where a declaration names it, below arguments', () => {
    process.env.MTCP_TEST_EPOCHS = '11';
    try {
      const declared = `${EPOCHS}variables: { epochs: { default: 3, environment: MTCP_TEST_EPOCHS } }\n`;
      expect(only(declared).config.train.epochs).to.equal(11);
      expect(only(declared, { overrides: ['variables.epochs=12'] }).config.train.epochs).to.equal(12);
      process.env.MTCP_TEST_EPOCHS = '';
      expect(only(declared).config.train.epochs).to.equal(3);
      const silent = `${EPOCHS.replace('${epochs}', '${MTCP_TEST_EPOCHS}')}variables: { other: 3 }\n`;
      expect(() => only(silent))
        .to.throw()
        .with.property('errors')
        .that.satisfies((errors: Error[]) => errors[0].message === 'unknown variable "MTCP_TEST_EPOCHS"');
    } finally {
      delete process.env.MTCP_TEST_EPOCHS;
    }
  });

  it('use other variables, but not in a circle', () => {
    const text = `${NYUD}variables: { root: "\${disk}/nyud", disk: /mnt }\n`;
    expect(only(text).config.data.root).to.equal('/mnt/nyud');
    expect(() => only(text.replace('/mnt', '"${root}"'))).to.throw('${root} -> ${disk} -> ${root}');
  });

  it('make a path that they begin relative to whoever set them', () => {
    const folder = write({
      'base/nyud.yaml': `${NYUD}variables: { root: ../data }\n`,
      'x.yaml': 'name: x\nextends: base/nyud.yaml\nrows: { a: {}, b: { variables: { root: here } } }\n',
      'y.yaml': `name: y\nextends: base/nyud.yaml\ndata: { root: "in/\${root}" }\n`,
    });
    const roots = load(folder).map(({ config }) => config.data.root);
    expect(roots).to.deep.equal([join(folder, 'data'), join(folder, 'here')]);
    expect(load(folder, { overrides: ['variables.root=there'] })[0].config.data.root).to.equal(
      resolve('there'),
    );
    const [inner] = loadExperiment(join(folder, 'y.yaml'), { schemas }).trials;
    expect(inner.config.data.root).to.equal(join(folder, 'data'));
  });

  it('can be written as text, also in a resolved file', () => {
    const trial = only(NYUD.replace('${root}', () => '/a/$${b}'));
    expect(trial.config.data.root).to.equal('/a/${b}');
    expect(only(writeResolved(trial))).to.deep.include({ hash: trial.hash, config: trial.config });
  });

  it('are named with their origin', () => {
    const folder = write({ 'x.yaml': `${EPOCHS}variables:\n  epochs: 5\n` });
    const file = display(join(folder, 'x.yaml'));
    const { trials, provenance } = loadExperiment(join(folder, 'x.yaml'), { schemas });
    expect(provenance(trials[0]).origin(['train', 'epochs'])).to.deep.equal({
      where: `${file}:15:18`,
      layer: 'file',
      variable: { name: '${epochs}', where: `${file}:17:11` },
      over: [],
    });
  });
});
