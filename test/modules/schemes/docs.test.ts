// docs/schemes.md knows every scheme, and its examples can be made.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import '../../../modules/index.js';
import { catalog } from '../../../registry/catalog.js';
import { createTrialContainer } from '../../../registry/container.js';
import { loadExperiment } from '../../../runners/config/index.js';

const guide = readFileSync(new URL('../../../../docs/schemes.md', import.meta.url), 'utf8');

describe('docs/schemes.md', () => {
  it('has a row for every scheme, and none for others', () => {
    const [, table] = /## Schemes\n(.*?)\n### /s.exec(guide)!;
    const rows = [...table.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
    const known = catalog.list('scheme').map(({ name }) => name);
    expect(rows.sort()).to.deep.equal(known.filter((name) => name !== 'compose'));
  });

  it('shows schemes that can be made', () => {
    const examples = [...guide.matchAll(/```yaml scheme\n(.*?)```/gs)].map(([, text]) => text);
    expect(examples).to.have.length(3);
    const folder = mkdtempSync(join(tmpdir(), 'mtcp-schemes-'));
    const tasks = ['semseg', 'depth'].map((name) => ({ name, kind: 'depth' as const, channels: 1 }));
    for (const example of examples) {
      const file = join(folder, 'example.yaml');
      writeFileSync(
        file,
        `extends: ${resolve('experiments/table4.yaml')}\nname: example\n${example}rows: { R: {} }\n`,
      );
      const [trial] = loadExperiment(file, { rows: ['R'] }).trials;
      createTrialContainer(tasks).create('scheme', trial.config.scheme);
    }
    rmSync(folder, { recursive: true });
  });
});
