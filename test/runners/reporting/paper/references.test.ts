// Every component that says what it is from has a BibTeX entry, and an experiment's bibliography has those of its rows.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { catalog } from '../../../../registry/catalog.js';
import { define } from '../../../../registry/define.js';
import { defineOptions } from '../../../../registry/options.js';
import { openExperiment } from '../../../../runners/config/open.js';
import { fullCatalog } from '../../../../runners/cli/catalog.js';
import {
  bibliography,
  componentsIn,
  References,
  REFERENCES,
  shippedReferences,
} from '../../../../runners/reporting/paper/references.js';
import { parseBibtex } from '../../../../runners/support/bibtex.js';
import { ENGINE_NAMES } from '../../../../runners/config/engine-flag.js';
import { pending } from '../../../support/pending.js';
import { temporaryFolder } from '../../../support/rooms.js';

describe('references', () => {
  before(() => fullCatalog());

  it('are complete: each component with a source has an entry, each entry a component', () => {
    const known = shippedReferences();
    const own = catalog
      .list()
      .filter(({ plugin, file }) => plugin === undefined && !/[\\/]test[\\/]/.test(file));
    const without = own.filter(({ kind, name, source }) => source && !known.has(`${kind}/${name}`));
    expect(without.map(({ kind, name }) => `${kind}/${name}`)).to.deep.equal([]);
    const names = new Set([
      ...own.map(({ kind, name }) => `${kind}/${name}`),
      ...ENGINE_NAMES.map((name) => `engine/${name.split(':')[0]}`),
      'search/random',
      'search/asha',
      'search/tpe',
      'report/delta_m',
    ]);
    expect([...known.keys()].filter((name) => !names.has(name))).to.deep.equal([]);
    for (const type of ['onnx', 'xla', 'tensorflow', 'wasm', 'cpu'])
      expect(known).to.include.keys(`engine/${type}`);
  });

  it('have unique keys and what a bibliography needs', () => {
    const entries = parseBibtex(readFileSync(REFERENCES, 'utf8'), REFERENCES);
    const keys = entries.map(({ key }) => key.toLowerCase());
    expect(new Set(keys).size).to.equal(keys.length);
    const titles = entries.map(({ fields }) => fields.title.toLowerCase());
    expect(new Set(titles).size).to.equal(titles.length);
    for (const { key, type, fields } of entries) {
      expect(fields, key).to.include.keys('author', 'title', 'year', 'mtcp');
      expect(fields.year, key).to.match(/^(19|20)\d\d$/);
      const where = { article: 'journal', inproceedings: 'booktitle', misc: 'howpublished' }[type];
      expect(where, `${key}: ${type}`).to.be.a('string');
      expect(fields[where!], key).to.be.a('string');
      expect(key, 'the key has the year').to.satisfy(
        (text: string) => type === 'misc' || text.includes(fields.year),
      );
    }
  });

  it('of an experiment are those of its components, nested ones too', () => {
    const text = bibliography(openExperiment('experiments/table1.yaml', { rows: ['Cross-Stitch', 'MT-CP'] }));
    const keys = parseBibtex(text, 'out').map(({ key }) => key);
    // The unit inside of per_task; the rows that Cross-Stitch starts from; the engine; delta-m.
    expect(keys).to.include.members([
      'fontana2025mtcp',
      'misra2016crossstitch',
      'he2016resnet',
      'liang2021dfpn',
      'kingma2015adam',
      'onnxruntime',
      'maninis2019attentive',
    ]);
    expect(keys).not.to.include.members(['ye2022invpt']);
    expect(new Set(keys).size).to.equal(keys.length);
    expect(text).not.to.match(/^ *mtcp =/m);
    expect(text).to.match(/^% .*interaction\/cross_stitch/m);
  });

  it('of every shipped experiment are accepted by BibTeX', function () {
    this.timeout(60_000);
    if (spawnSync('bibtex', ['--version']).status !== 0)
      return pending(this, 'there is no bibtex; apt-get install texlive-binaries');
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'refs.bib'), readFileSync(REFERENCES));
    writeFileSync(join(folder, 'a.aux'), '\\citation{*}\n\\bibstyle{plain}\n\\bibdata{refs}\n');
    const { status, stdout } = spawnSync('bibtex', ['a'], { cwd: folder, encoding: 'utf8' });
    expect(stdout).not.to.match(/warning|error/i);
    expect(status).to.equal(0);
  });

  it('of a plugin are its own, under keys that are free', () => {
    const cite = '@article{fontana2025mtcp, author = {A, B}, title = {Other}, year = {2030}}';
    const none = defineOptions({});
    define({
      kind: 'head',
      name: 'cited',
      summary: 's',
      cite,
      options: none,
      file: 'p.js',
      create: () => ({}) as never,
    });
    define({
      kind: 'head',
      name: 'miscited',
      summary: 's',
      cite: 'Fontana 2025 @',
      options: none,
      file: 'p.js',
      create: () => ({}) as never,
    });
    try {
      const references = new References();
      const keysOf = (name: string) =>
        componentsIn('head', { type: name }).flatMap((used) => references.cite(used));
      expect(keysOf('mlp')).to.deep.equal(['fontana2025mtcp']);
      expect(keysOf('cited')).to.deep.equal(['fontana2025mtcpa']);
      expect(keysOf('cited'), 'the same again').to.deep.equal(['fontana2025mtcpa']);
      expect(() => keysOf('miscited'))
        .to.throw(/BibTeX/)
        .with.property('where')
        .that.contains('cite of head/miscited');
    } finally {
      catalog.remove('head', 'cited');
      catalog.remove('head', 'miscited');
    }
  });
});
