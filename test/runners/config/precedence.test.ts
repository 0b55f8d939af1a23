// Precedence between a file and the profiles that it inherits, and warnings about values without effect.
import { join } from 'node:path';
import { expect } from 'chai';
import { checkFiles, loadExperiment } from '../../../runners/config/load.js';
import type { LoadOptions } from '../../../runners/config/experiment.js';
import { fakeSchemas, GOOD, write } from './support.js';

const BASE = `${GOOD.replace('name: good\n', '').replace('{ type: poly }', '{ type: poly, power: "${power}" }')}
variables: { power: 1 }
profiles:
  embedded:
    data: { train: 3 }
    augment: { size: [8, 8] }
    optimizer: { rate: 0.1 }
    scheme: { type: equal }
    variables: { power: 2 }
    evaluate: { every: null }
  full: { optimizer: { rate: 0.2 } }
`;

describe('a file and inherited profiles', () => {
  let schemas: string;
  before(() => {
    schemas = fakeSchemas();
  });
  const load = (files: Record<string, string>, options: LoadOptions = {}) =>
    loadExperiment(join(write({ 'base.yaml': BASE, ...files }), 'x.yaml'), { ...options, schemas });
  const warned = (files: Record<string, string>, options: LoadOptions = {}) => {
    const folder = write({ 'base.yaml': BASE, ...files });
    const { errors, warnings } = checkFiles([join(folder, 'x.yaml')], { ...options, schemas });
    expect(errors).to.deep.equal([]);
    return warnings.map(({ where, message, hint }) => {
      const [place] = /x\.yaml:.*$/.exec(where!)!;
      return `${place} ${message} (${hint!.replaceAll(/[^\s(]*\/(?=\w+\.yaml)/g, '')})`;
    });
  };

  it('the file wins over the profile, its own profile over the file, a row over both', () => {
    const mine = `name: x
extends: base.yaml
data: { type: embedded-rooms, train: 7 }
augment: { size: [16, 16] }
optimizer: { rate: 0.5 }
scheme: { type: dwa, temperature: 4 }
variables: { power: 5 }
evaluate: { every: 9 }
profiles: { embedded: { augment: { size: [24, 24] } } }
rows: { plain: {}, other: { optimizer: { rate: 0.7 } } }
`;
    const { trials, provenance } = load({ 'x.yaml': mine });
    const [plain, other] = trials;
    const written = provenance(plain);
    expect(plain.config.data).to.include({ train: 7 });
    expect(plain.config.augment).to.deep.include({ size: [24, 24] });
    expect(plain.config.optimizer).to.include({ rate: 0.5 });
    expect(plain.config.scheme).to.deep.equal({ type: 'dwa', temperature: 4 });
    expect(plain.config.schedule).to.include({ power: 5 });
    expect(plain.config.evaluate).to.include({ every: 9 });
    expect(other.config.optimizer).to.include({ rate: 0.7 });
    const origin = written.origin(['optimizer', 'rate']);
    expect(origin).to.have.property('layer', 'file');
    expect(origin.over.map(({ value }) => value)).to.deep.equal([0.1, 0.001]);
    // The profile's null is part of the history.
    expect(written.origin(['evaluate', 'every']).over.map(({ value }) => value)).to.deep.equal([null]);
    expect(written.origin(['augment', 'size']).layer).to.equal('profile "embedded"');
  });

  it("what the file does not write is the profile's", () => {
    const [trial] = load({ 'x.yaml': 'name: x\nextends: base.yaml\ntrain: { epochs: 3 }\n' }).trials;
    expect(trial.config.optimizer).to.include({ rate: 0.1 });
    expect(trial.config.train).to.include({ epochs: 3, batch: 4 });
  });

  it('warns of a value that no row has, under every profile', () => {
    const text = (extra: string) => `name: x\nextends: base.yaml\noptimizer: { rate: 0.5 }\n${extra}`;
    expect(warned({ 'x.yaml': text('rows: { a: {}, b: { optimizer: { rate: 0.7 } } }\n') })).to.deep.equal(
      [],
    );
    expect(warned({ 'x.yaml': text('rows: { b: { optimizer: { rate: 0.7 } } }\n') })).to.deep.equal([
      'x.yaml:3:14 optimizer.rate has no effect: every row has another value (from row "b" (x.yaml:4:33))',
    ]);
    // One profile of two replaces it.
    const profiles = 'profiles: { embedded: { optimizer: { rate: 0.7 } } }\n';
    expect(warned({ 'x.yaml': text(profiles) })).to.deep.equal([]);
    expect(warned({ 'x.yaml': text(profiles) }, { profile: 'embedded' })).to.deep.equal([]);
    // The same value again is no loss.
    expect(warned({ 'x.yaml': text('rows: { b: { optimizer: { rate: 0.5 } } }\n') })).to.deep.equal([]);
  });

  it('warns of a value that inherited rows replace, also when one profile is run', () => {
    const files = {
      'rows.yaml': 'extends: base.yaml\nrows: { a: { scheme: { type: equal } } }\n',
      'x.yaml': 'name: x\nextends: rows.yaml\nscheme: { type: dwa, temperature: 3 }\n',
    };
    const said = [
      'x.yaml:3:11 scheme.type has no effect: every row has another value (from row "a" (rows.yaml:2:30))',
      'x.yaml:3:22 scheme.temperature has no effect: every row has another value (from row "a" (rows.yaml:2:22))',
    ];
    expect(warned(files)).to.deep.equal(said);
    expect(load(files).warnings).to.have.length(2);
  });

  it('warns of a profile that is spelled nearly as an inherited one', () => {
    const text = (name: string) =>
      `name: x\nextends: base.yaml\nprofiles: { ${name}: { optimizer: { rate: 0.7 } } }\n`;
    expect(warned({ 'x.yaml': text('embeded') })).to.deep.equal([
      'x.yaml:3:13 profile "embeded" is new, beside the inherited "embedded" (did you mean "embedded"? If not, choose a name that is easier to tell apart)',
    ]);
    // Also when another one is run.
    expect(load({ 'x.yaml': text('ful') }, { profile: 'embedded' }).warnings).to.have.length(1);
    for (const name of ['embedded', 'embedded-long', 'full2', 'mine'])
      expect(warned({ 'x.yaml': text(name) })).to.deep.equal([]);
  });

  it('does not warn of what an argument or a sweep replaces', () => {
    const text = 'name: x\nextends: base.yaml\noptimizer: { rate: 0.5 }\n';
    expect(load({ 'x.yaml': text }, { overrides: ['optimizer.rate=0.7'] }).warnings).to.deep.equal([]);
    expect(warned({ 'x.yaml': `${text}sweep: { grid: { optimizer.rate: [1, 2] } }\n` })).to.deep.equal([]);
  });
});
