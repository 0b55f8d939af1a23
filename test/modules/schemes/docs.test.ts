// docs/schemes.md knows every scheme, and its examples can be made.
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { load } from 'js-yaml';
import '../../../modules/index.js';
import { catalog } from '../../../registry/catalog.js';
import { createTrialContainer, type Slot } from '../../../registry/container.js';

const guide = readFileSync(new URL('../../../../docs/schemes.md', import.meta.url), 'utf8');

describe('docs/schemes.md', () => {
  it('has a row for every scheme, and none for others', () => {
    const [, table] = /## Schemes\n(.*?)\n### /s.exec(guide)!;
    const rows = [...table.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
    const known = catalog.list('scheme').map(({ name }) => name);
    expect(rows.sort()).to.deep.equal(known.filter((name) => name !== 'compose'));
  });

  it('shows schemes that can be made', () => {
    const examples = [...guide.matchAll(/```yaml scheme\n(.*?)```/gs)].map(([, text]) => load(text));
    expect(examples).to.have.length(3);
    const tasks = ['semseg', 'depth'].map((name) => ({ name, kind: 'depth' as const, channels: 1 }));
    for (const example of examples)
      createTrialContainer(tasks).create('scheme', (example as { scheme: Slot }).scheme);
  });
});
