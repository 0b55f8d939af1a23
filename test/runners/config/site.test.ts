// The site file: where it is found, what it may say, and what wins over it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { findSite, loadSite } from '../../../runners/config/index.js';
import { openExperiment } from '../../../runners/config/open.js';
import { launcherSlot } from '../../../runners/launching/index.js';
import { experimentFile, temporaryFolder } from '../../support/rooms.js';

function siteFile(yaml: string): string {
  const file = join(temporaryFolder(), 'mtcp-site.yaml');
  writeFileSync(file, yaml);
  return file;
}

const GPU = 'launcher: { type: slurm, partition: gpu, time: 60, modules: [cuda] }\n';

describe('a site file', () => {
  it('is found beside or above the working directory, then at home', () => {
    const home = temporaryFolder();
    const own = join(home, '.config', 'mtcp', 'site.yaml');
    mkdirSync(join(home, '.config', 'mtcp'), { recursive: true });
    const project = temporaryFolder();
    const cwd = join(project, 'a', 'b');
    mkdirSync(cwd, { recursive: true });
    const env = { HOME: home };
    expect(findSite({ env, cwd })).to.equal(undefined);
    writeFileSync(own, GPU);
    expect(findSite({ env, cwd })).to.equal(own);
    writeFileSync(join(project, 'mtcp-site.yaml'), GPU);
    expect(findSite({ env, cwd })).to.equal(join(project, 'mtcp-site.yaml'));
    expect(findSite({ env: { ...env, MTCP_SITE: 'x.yaml' }, cwd })).to.equal(join(cwd, 'x.yaml'));
    expect(findSite({ env: { ...env, MTCP_SITE: '' }, cwd })).to.equal(undefined);
  });

  it('says what holds where the experiment says nothing', () => {
    const site = loadSite(siteFile(GPU));
    const plain = openExperiment(experimentFile(''), { profile: 'smoke' });
    expect(launcherSlot(plain, { site })).to.include({
      type: 'slurm',
      partition: 'gpu',
      time: 60,
      requeues: 20,
    });
    expect(launcherSlot(plain, { site, chosen: 'local' })).to.deep.equal({
      type: 'local',
      jobs: 'auto',
      processes: 1,
    });
    expect(launcherSlot(plain)).to.deep.equal({ type: 'local', jobs: 'auto', processes: 1 });
    const given = openExperiment(experimentFile('launcher: { type: slurm, time: 5, modules: [] }\n'), {
      profile: 'smoke',
    });
    expect(launcherSlot(given, { site })).to.deep.include({ partition: 'gpu', time: 5, modules: [] });
    const here = openExperiment(experimentFile('launcher: { type: local, jobs: 2 }\n'), { profile: 'smoke' });
    expect(launcherSlot(here, { site })).to.deep.equal({ type: 'local', jobs: 2, processes: 1 });
    expect(launcherSlot(here, { site, chosen: 'slurm' })).to.include({ type: 'slurm', partition: 'gpu' });
    expect(() => launcherSlot(plain, { chosen: 'slrum' })).to.throw('there is no launcher "slrum"');
    const none = openExperiment(experimentFile('launcher: null\n'), { profile: 'smoke' });
    expect(launcherSlot(none, { site })).to.include({ type: 'local' });
  });

  it('with a fault is told by file, line and column', () => {
    const text = (yaml: string): string => {
      try {
        loadSite(siteFile(yaml));
      } catch (error) {
        return (error as { format(): string }).format();
      }
      return '';
    };
    expect(text('launcher: { type: slurm, partitoin: gpu }\n'))
      .to.match(/mtcp-site\.yaml:1:\d+: /)
      .and.to.contain('did you mean "partition"?');
    expect(text('train: { epochs: 4 }\n')).to.contain('"train" does not belong into a site file');
    expect(text('launcher: { partition: gpu }\n')).to.contain('type');
  });
});
