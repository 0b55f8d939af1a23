// The studies of docs/gallery, each at the smallest size, as CI runs them; and the page shows the files that lie there.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import '../../modules/index.js';
import { runExperiment } from '../../runners/app/run.js';
import { ROOT, temporaryFolder } from '../support/rooms.js';

const FOLDER = join(ROOT, 'docs/gallery');
const studies = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'));
const page = readFileSync(join(ROOT, 'docs/gallery.md'), 'utf8');

/** What each of them is about, in its report. */
const SHOWS: Record<string, (text: string) => void> = {
  'own-block.yaml': (text) => expect(text).to.contain('gate, narrow'),
  'own-data.yaml': (text) => {
    expect(text).to.contain('photographs of an RGB-D camera').and.contain('normals computed from depth');
    expect(text).to.match(/^together, photos=\S+ +\d/m);
  },
  'five-seeds.yaml': (text) => expect(text).to.match(/Differences from equal weights[^]*\(p \d/),
  'loss-weights.yaml': (text) => expect(text).to.contain('asha'),
  'fine-tuning.yaml': (text) => expect(text).to.contain('encoder frozen').and.contain('from nothing'),
};

/** Rooms as an RGB-D camera would see them. */
function photographs(): string {
  const [rooms, photos] = [join(temporaryFolder(), 'rooms'), join(temporaryFolder(), 'photos')];
  const synth = ['data', 'synth', '--out', rooms, '--train', '8', '--val', '2', '--size', '32x32'];
  execFileSync(process.execPath, [join(ROOT, 'dist/runners/cli/main.js'), ...synth], { stdio: 'ignore' });
  execFileSync(process.execPath, [join(FOLDER, 'make-photos.mjs'), rooms, photos]);
  return photos;
}

describe('the gallery', function () {
  // Seconds each on idle cores.
  this.timeout(900_000);

  it('has five studies, each shown on its page', () => {
    expect(studies.sort()).to.deep.equal(Object.keys(SHOWS).sort());
    for (const name of readdirSync(FOLDER).filter((file) => /\.(yaml|png|ts|mjs)$/.test(file)))
      expect(page, name).to.contain(`gallery/${name}`);
    const shown = [...page.matchAll(/^```yaml file=(\S+)\n(.*?)^```$/gms)];
    expect(shown.map(([, file]) => file).sort()).to.deep.equal(
      studies.map((name) => `docs/gallery/${name}`).sort(),
    );
    for (const [, file, text] of shown) {
      expect(text, file).to.equal(readFileSync(join(ROOT, file), 'utf8'));
      expect(text.split('\n').length, `${file} is short`).to.be.within(15, 32);
    }
  });

  for (const name of studies)
    it(`${name} runs`, async () => {
      const overrides = name === 'own-data.yaml' ? [`variables.photos=${photographs()}`] : [];
      const seeds = name === 'five-seeds.yaml' ? [0, 1] : undefined;
      const { failed, report } = await runExperiment(join(FOLDER, name), {
        profile: 'smoke',
        runs: temporaryFolder(),
        overrides,
        seeds,
      });
      expect(failed).to.deep.equal([]);
      SHOWS[name](report.text);
    });
});
