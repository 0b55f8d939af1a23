import '../../../modules/index.js';
import { join } from 'node:path';
import { expect } from 'chai';
import sharp from 'sharp';
import { loadExperiment } from '../../../runners/config/index.js';
import { showData } from '../../../runners/app/show-data.js';
import { experimentFile, temporaryFolder } from '../../support/rooms.js';

describe('data show', () => {
  it('draws raw and augmented samples with all labels of the data set', async () => {
    const { trials } = loadExperiment(experimentFile('rows: { a: { tasks: { semseg: null } } }'), {
      profile: 'smoke',
    });
    const out = temporaryFolder();
    const files = await showData(trials[0], out, { samples: 2, draws: 3 }, () => undefined);
    expect(files).to.deep.equal([join(out, 'raw.png'), join(out, 'augmented.png')]);
    const [raw, augmented] = await Promise.all(files.map((file) => sharp(file).metadata()));
    // Five columns: image, semseg, depth, normals, edge, whatever the tasks of the trial.
    expect(raw.width).to.equal(5 * 196 - 4);
    expect(augmented.width).to.equal(raw.width);
    expect(augmented.height! - raw.height!).to.equal(4 * (192 + 4));
  });
});
