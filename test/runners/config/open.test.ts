// --data is for data sets that read a folder; what makes its own images never writes into one that was given as data.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { createTrialContainer } from '../../../registry/container.js';
import { catalog } from '../../../registry/catalog.js';
import { MtcpError } from '../../../registry/errors.js';
import type { PropertySchema } from '../../../registry/options.js';
import { openExperiment, type OpenOptions } from '../../../runners/config/open.js';
import { TABLE3, temporaryFolder } from '../../support/rooms.js';
import { write } from './support.js';

const refused = (file: string, options: OpenOptions): MtcpError => {
  try {
    openExperiment(file, options);
  } catch (error) {
    return error as MtcpError;
  }
  throw new Error('nothing was refused');
};

/** A folder with somebody's data in it. */
function foreign(): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'images'));
  writeFileSync(join(folder, 'images/1.jpg'), '');
  return folder;
}

describe('--data', () => {
  it('is what the data set reads', () => {
    const { trials } = openExperiment(TABLE3, { profile: 'full', data: '/data/set #2' });
    expect(trials.map(({ config }) => config.data.root)).to.deep.equal(trials.map(() => '/data/set #2'));
  });

  for (const profile of [undefined, 'embedded', 'smoke'])
    it(`is refused where images are rendered (${profile ?? 'no profile'}), with the profile that reads a folder`, () => {
      const { kind, message, hint, where } = refused(TABLE3, { profile, data: foreign() });
      expect({ kind, message }).to.deep.equal({
        kind: 'usage',
        message: 'data set "embedded-rooms" reads no folder: it renders its own images',
      });
      expect(where).to.match(/^argument "--data /);
      expect(hint).to.equal('to train on this folder: --profile full (nyud-v2)');
    });

  it('is refused with a data set to write, where no profile reads a folder', () => {
    const folder = write({
      'x.yaml': `name: x\nextends: ${TABLE3}\nprofiles: { full: { data: { type: embedded-rooms } } }\n`,
    });
    expect(refused(join(folder, 'x.yaml'), { data: foreign() }).hint).to.contain('data={ type: nyud-v2');
  });
});

describe('data sets that make their images', () => {
  /** Whether an option or a branch of it is a path that is written. */
  const writes = ({ written, anyOf }: PropertySchema): boolean =>
    written === true || (anyOf ?? []).some(writes);
  const makers = catalog
    .list('dataset')
    .filter(({ plugin, options }) => !plugin && Object.values(options.properties).some(writes));

  it('are those that can do without a folder', () => {
    expect(makers.map(({ name }) => name)).to.deep.equal(['embedded-pascal', 'embedded-rooms']);
  });

  for (const { name } of makers)
    it(`${name} leaves a folder alone that holds something else`, async () => {
      const folder = foreign();
      const dataset = createTrialContainer([]).create('dataset', {
        type: name,
        train: 1,
        val: 1,
        size: [32, 32],
        seed: 0,
        cache: folder,
      });
      const error: unknown = await dataset.prepare(() => {}).catch((cause: unknown) => cause);
      expect(MtcpError.is(error, 'usage')).to.equal(true);
      expect((error as MtcpError).format())
        .to.contain(folder)
        .and.to.contain('holds no rendered data (images)');
      expect(readdirSync(folder)).to.deep.equal(['images']);
    });
});
