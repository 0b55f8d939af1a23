import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { newExperiment, shippedExperiments } from '../../../../runners/app/authoring/experiment.js';
import { loadExperiment, validateFiles } from '../../../../runners/config/index.js';
import { TABLE3, temporaryFolder } from '../../../support/rooms.js';

describe('mtcp new experiment', () => {
  it('copies an experiment under another name: the same trials, from anywhere', () => {
    const folder = join(temporaryFolder(), 'deep/down');
    const { file } = newExperiment('study', { from: 'table3', out: folder });
    expect(file).to.equal(join(folder, 'study.yaml'));
    const text = readFileSync(file, 'utf8');
    const [, schema] = /^# yaml-language-server: \$schema=(.*)$/m.exec(text)!;
    expect(existsSync(join(folder, schema))).to.equal(true);
    const hashes = (name: string) => loadExperiment(name, { profile: 'full' }).trials.map(({ hash }) => hash);
    expect(hashes(file)).to.deep.equal(hashes(TABLE3));
    const { name, title } = loadExperiment(file);
    expect({ name, title }).to.deep.equal({ name: 'study', title: 'study' });
  });

  // A fragment that leaves out whole sections is nothing to start from.
  const complete = shippedExperiments().filter(
    (name) => !name.startsWith('base/') || name.startsWith('base/mtcp-'),
  );
  for (const from of complete)
    it(`from ${from}`, () => {
      const { file } = newExperiment('study', { from, out: temporaryFolder() });
      expect(validateFiles([file])).to.deep.equal([]);
      expect(loadExperiment(file).trials).not.to.deep.equal([]);
    });

  it('leaves no file behind if what it would write is not valid', () => {
    const out = temporaryFolder();
    const origin = join(out, 'part.yaml');
    writeFileSync(origin, 'scheme: { type: equal }\n');
    expect(() => newExperiment('study', { from: origin, out })).to.throw('missing sections');
    expect(existsSync(join(out, 'study.yaml'))).to.equal(false);
  });

  it('keeps paths pointing to where they pointed, of files, plugins and options', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'a'));
    writeFileSync(
      join(folder, 'a/mine.js'),
      `import { define } from 'mtcp/registry';
define({ kind: 'scheme', name: 'flat', summary: 'Flat.',
  create: () => ({}) });`,
    );
    const origin = join(folder, 'a/first.yaml');
    writeFileSync(
      origin,
      `name: first
extends: ${TABLE3.replace('table3', 'base/mtcp-nyud')}
plugins: [mine.js]
scheme: { type: flat }
rows: { a: { data: { type: nyud-v2, root: there } } }
profiles: { full: { data: { type: nyud-v2, root: ../here } } }
`,
    );
    const { file } = newExperiment('second', { from: origin, out: join(folder, 'b') });
    expect(readFileSync(file, 'utf8')).to.contain('plugins: [../a/mine.js]');
    const root = (name: string, row?: string) =>
      loadExperiment(name, { profile: 'full', ...(row && { rows: [row] }) }).trials[0].config.data.root;
    expect(root(file)).to.equal(join(folder, 'a/there')).and.to.equal(root(origin));
  });

  it('refuses what is no name, no origin, or there already', () => {
    const out = temporaryFolder();
    expect(() => newExperiment('My Study', { out })).to.throw('is not a name for an experiment');
    expect(() => newExperiment('study', { from: 'tabel3', out }))
      .to.throw('there is no experiment "tabel3"')
      .with.property('hint')
      .that.contains('table3');
    newExperiment('study', { out });
    expect(() => newExperiment('study', { out })).to.throw('it is left as it is');
  });
});
