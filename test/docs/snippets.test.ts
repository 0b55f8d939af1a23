// Sections of experiment files that guides show are valid over the rows of Table 3. Whole files and what merges of them give
// are tested by test/runners/config/docs.test.ts, docs/extending.md and docs/gallery.md by tests of their own.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { formatErrors } from '../../runners/config/format.js';
import { validateFiles } from '../../runners/config/load.js';
import { ROOT, temporaryFolder } from '../support/rooms.js';

const OTHERS = ['extending.md', 'gallery.md'];
const guides = readdirSync(join(ROOT, 'docs')).filter(
  (file) => file.endsWith('.md') && !OTHERS.includes(file),
);
const snippets = ['README.md', ...guides.map((file) => `docs/${file}`)].flatMap((guide) => {
  const text = readFileSync(join(ROOT, guide), 'utf8');
  return [...text.matchAll(/^```yaml\n(.*?)^```/gms)].map(({ index, 1: yaml }) => ({
    where: `${guide}:${text.slice(0, index).split('\n').length}`,
    yaml,
  }));
});

describe('YAML in guides', () => {
  const folder = temporaryFolder();

  it('is found', () => expect(snippets).to.have.length.above(10));

  for (const { where, yaml } of snippets)
    it(where, () => {
      const file = join(folder, 'x.yaml');
      // The name of a teacher that a guide mentions.
      const rows = /^rows:/m.test(yaml) ? '' : 'rows: { MTI-Net: { auxiliary: null } }\n';
      writeFileSync(file, `extends: ${join(ROOT, 'experiments/table3.yaml')}\nname: snippet\n${rows}${yaml}`);
      expect(formatErrors(validateFiles([file]))).to.equal('');
    });
});
