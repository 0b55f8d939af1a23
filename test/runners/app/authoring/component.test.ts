// Every template works as it is: it loads as a plugin, takes its place in an experiment, and builds.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import '../../../../modules/index.js';
import { catalog } from '../../../../registry/catalog.js';
import { KINDS, type Kind } from '../../../../registry/entry.js';
import { newComponent } from '../../../../runners/app/authoring/component.js';
import { formatErrors, loadExperiment, validateFiles } from '../../../../runners/config/index.js';
import { createLoader } from '../../../../runners/data/loader.js';
import { findMisfits } from '../../../../runners/model/check.js';
import { ROOT, temporaryFolder } from '../../../support/rooms.js';

/** What else must change where the new component stands. */
const ROUND: Partial<Record<Kind, string>> = {
  dataset: 'tasks: { semseg: null }\naugment: { type: sv, size: [32, 32] }\n',
};
const DEPTH: ReadonlySet<Kind> = new Set(['head', 'loss', 'metric']);

describe('mtcp new component', function () {
  this.timeout(30_000);

  for (const kind of Object.keys(KINDS) as Kind[])
    it(`${kind}: a file that works as it is`, async () => {
      const folder = temporaryFolder();
      const name = `test-${kind}`;
      const { file, usage } = newComponent(kind, name, folder);
      expect(readFileSync(file, 'utf8')).to.contain(
        `export class Test${kind[0].toUpperCase()}${kind.slice(1)}`,
      );
      // A kind of task is named by a data set, not by an experiment.
      const sections: string =
        kind === 'task' ? '' : DEPTH.has(kind) ? usage.replace('<task>', 'depth') : usage;
      const experiment = join(folder, 'x.yaml');
      writeFileSync(
        experiment,
        `name: x
extends: ${join(ROOT, 'experiments/base/mtcp-nyud.yaml')}
plugins: ${file}
${ROUND[kind] ?? ''}${kind === 'transform' ? '' : 'augment: { type: sv, size: [32, 32] }\n'.repeat(ROUND[kind] ? 0 : 1)}${kind === 'tracker' || kind === 'launcher' ? `${sections}\n` : `rows: { mine: { ${sections} } }\n`}`,
      );
      expect(formatErrors(validateFiles([experiment], { profile: 'smoke' }))).to.equal('');
      const loaded = loadExperiment(experiment, { profile: 'smoke' });
      expect(formatErrors(await findMisfits(loaded, loaded.trials))).to.equal('');
      expect(catalog.get(kind, name)).to.include({ plugin: file, file });
      catalog.remove(kind, name);
    });

  it('data sets and transforms load in the threads, too', async () => {
    const folder = temporaryFolder();
    const files = (['dataset', 'transform'] as const).map(
      (kind) => newComponent(kind, `own-${kind}`, folder).file,
    );
    const experiment = join(folder, 'x.yaml');
    writeFileSync(
      experiment,
      `name: x
extends: ${join(ROOT, 'experiments/base/mtcp-nyud.yaml')}
plugins: [${files.join(', ')}]
tasks: { semseg: null }
rows: { mine: { data: { type: own-dataset, train: 4, val: 2 }, augment: { type: own-transform, size: [24, 16] } } }
`,
    );
    const [{ config }] = loadExperiment(experiment, { profile: 'smoke' }).trials;
    const dataset = catalog.get('dataset', 'own-dataset');
    const tasks = new dataset.create({ train: 4, val: 2, size: [64, 64] }).tasks;
    const loader = createLoader({
      dataset: config.data,
      transform: config.augment,
      tasks,
      batch: 2,
      seed: 0,
      workers: 1,
    });
    try {
      await loader.prepare(() => {});
      const shapes: number[] = [];
      for await (const { image, labels } of loader.train(0))
        shapes.push(image.length, labels.depth.length, labels.normals.length);
      const pixels = 2 * 24 * 16;
      expect(shapes).to.deep.equal([3 * pixels, pixels, 3 * pixels, 3 * pixels, pixels, 3 * pixels]);
    } finally {
      await loader.close();
    }
  });

  it('all of them pass the type checker with the settings that come along', () => {
    const folder = temporaryFolder();
    // As npm would have installed it.
    mkdirSync(join(folder, 'node_modules/@tensorflow'), { recursive: true });
    symlinkSync(ROOT, join(folder, 'node_modules/mtcp'));
    symlinkSync(
      join(ROOT, 'node_modules/@tensorflow/tfjs-core'),
      join(folder, 'node_modules/@tensorflow/tfjs-core'),
    );
    symlinkSync(join(ROOT, 'node_modules/@types'), join(folder, 'node_modules/@types'));
    const written = (Object.keys(KINDS) as Kind[]).map((kind) => newComponent(kind, `typed-${kind}`, folder));
    expect(written.filter(({ tsconfig }) => tsconfig !== undefined)).to.have.length(1);
    const tsc = join(ROOT, 'node_modules/.bin/tsc');
    const { status, stdout } = spawnSync(tsc, ['-p', '.', '--types', 'node'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(stdout).to.equal('');
    expect(status).to.equal(0);
  });

  it('refuses names that are taken or no names, and files that are there', () => {
    const folder = temporaryFolder();
    expect(() => newComponent('interaction', 'cfm', folder)).to.throw(
      'interaction "cfm" comes with mtcp already',
    );
    expect(() => newComponent('interaction', 'My Block', folder)).to.throw('not a name for a component');
    expect(() => newComponent('interactions', 'x', folder)).to.throw('there is no kind "interactions"');
    const { file } = newComponent('head', 'mine', folder);
    writeFileSync(file, 'mine');
    expect(() => newComponent('head', 'mine', folder)).to.throw('it is left as it is');
    expect(readFileSync(file, 'utf8')).to.equal('mine');
  });
});
