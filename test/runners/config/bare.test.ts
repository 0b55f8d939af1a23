// Slots that need no type, on the shipped components.
import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { loadExperiment, validateFiles } from '../../../runners/config/index.js';

const TABLE = resolve('experiments/table4.yaml');
const BOTH = '{ weights: { type: log }, gradients: { type: pcgrad, shared: backbone } }';
const TYPED = BOTH.replace('{', '{ type: compose,');

describe('a scheme without a type', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'mtcp-bare-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  function written(body: string): string {
    const file = join(folder, 'mine.yaml');
    writeFileSync(file, `extends: ${TABLE}\nname: mine\n${body}`);
    return file;
  }
  const trialOf = (body: string, overrides: string[] = []) =>
    loadExperiment(written(body), { rows: ['R'], overrides }).trials[0];
  const faults = (body: string) =>
    validateFiles([written(body)], { profile: 'embedded' }).map((error) => error.format());

  it('is compose where weights and gradients are given, in a row, a file, a profile or an override', () => {
    const typed = trialOf(`rows: { R: { scheme: ${TYPED} } }`);
    expect(typed.config.scheme).to.deep.include({ type: 'compose' });
    for (const trial of [
      trialOf(`rows: { R: { scheme: ${BOTH} } }`),
      trialOf(`scheme: ${BOTH}\nrows: { R: {} }`),
      trialOf(`profiles: { embedded: { scheme: ${BOTH} } }\nrows: { R: {} }`),
      trialOf('rows: { R: { scheme: { type: lps } } }', [`scheme=${BOTH}`]),
    ]) {
      expect(trial.config.scheme).to.deep.equal(typed.config.scheme);
      expect(trial.hash).to.equal(typed.hash);
    }
  });

  it('takes what lies over it as an overlay', () => {
    const { scheme } = trialOf(
      `scheme: ${BOTH}\nrows: { R: { scheme: { gradients: { shared: all } } } }`,
    ).config;
    expect(scheme).to.have.nested.property('gradients.type', 'pcgrad');
    expect(scheme).to.have.nested.property('gradients.shared', 'all');
    expect(trialOf(`scheme: ${BOTH}\nrows: { R: { scheme: { type: lps } } }`).config.scheme.type).to.equal(
      'lps',
    );
  });

  it('does not mean compose with one of the two, or where a type says otherwise', () => {
    expect(
      trialOf('rows: { R: { scheme: { type: manual, weights: { depth: 3 } } } }').config.scheme,
    ).to.deep.include({
      type: 'manual',
      weights: { depth: 3 },
    });
    const [fault] = faults('rows: { R: { scheme: { weights: { type: lps } } } }');
    expect(fault).to.contain('unknown option "weights" in scheme "lps"');
  });

  it('points at what is wrong inside', () => {
    const [fault] = faults(
      'rows: { R: { scheme: { weights: { type: lpz }, gradients: { type: pcgrad } } } }',
    );
    expect(fault).to.contain('mine.yaml:3:').and.to.contain('unknown scheme "lpz"');
    expect(faults(`rows: { R: { scheme: ${BOTH.replace('backbone', 'trunk')} } }`)[0]).to.contain(
      'scheme.gradients.shared',
    );
  });
});
