import { join } from 'node:path';
import { expect } from 'chai';
import { display } from '../../../runners/config/compose.js';
import { loadExperiment } from '../../../runners/config/load.js';
import { fakeSchemas, GOOD, write } from './support.js';

describe('origins', () => {
  it('name layer and place of a value and all that it replaced', () => {
    const folder = write({
      'base.yaml': `${GOOD}profiles:\n  embedded: { train: { epochs: 3 }, scheme: { type: floor, most: 1 } }\n`,
      'x.yaml': `name: x
extends: base.yaml
rows:
  r: { train: { epochs: 4 }, model: { interaction: null } }
sweep: { grid: { train.batch: [9] } }
`,
    });
    const [base, file] = ['base.yaml', 'x.yaml'].map((name) => display(join(folder, name)));
    const { trials, provenance } = loadExperiment(join(folder, 'x.yaml'), {
      schemas: fakeSchemas(),
      overrides: ['train.epochs=5'],
    });
    const written = provenance(trials[0]);
    expect(written.origin(['train', 'epochs'])).to.deep.equal({
      where: 'argument "train.epochs=5"',
      layer: 'argument',
      over: [
        { value: 4, where: `${file}:4:25` },
        { value: 3, where: `${base}:17:32` },
        { value: 2, where: `${base}:15:18` },
      ],
    });
    expect(written.origin(['train', 'batch'])).to.deep.equal({
      where: `${file}:5:32`,
      layer: 'sweep',
      over: [{ value: 4, where: `${base}:15:28` }],
    });
    expect(written.origin(['model', 'interaction'])).to.deep.equal({
      where: `${file}:4:52`,
      layer: 'row "r"',
      over: [{ value: { type: 'cfm' }, where: `${base}:11:16` }],
    });
    expect(written.origin(['scheme', 'most'])).to.include({
      where: `${base}:17:66`,
      layer: 'profile "embedded"',
    });
    expect(written.origin(['scheme']).over).to.deep.equal([
      { value: { type: 'dwa', temperature: 3 }, where: `${base}:12:9` },
    ]);
    expect(written.origin(['scheme', 'least'])).to.deep.equal({ where: null, layer: 'default', over: [] });
    expect(written.origin(['tasks', 'depth', 'loss', 'type'])).to.include({
      where: `${base}:6:48`,
      layer: 'file',
    });
  });
});
