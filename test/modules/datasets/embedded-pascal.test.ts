import '../../../modules/datasets/embedded-pascal.js';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { checkFolder } from '../../../modules/datasets/folders/check.js';
import { PASCAL_TASKS } from '../../../modules/datasets/folders/pascal-classes.js';
import { generateScenes } from '../../../modules/datasets/rendered/scenes/generate.js';
import { createTrialContainer } from '../../../registry/container.js';
import { rejection } from '../../support/reference.js';

const quiet = () => undefined;

describe('embedded-pascal', () => {
  let cache: string;
  before(async () => (cache = await mkdtemp(join(tmpdir(), 'mtcp-scenes-'))));
  after(() => rm(cache, { recursive: true, force: true }));

  const dataset = (...names: string[]) =>
    createTrialContainer(PASCAL_TASKS.filter(({ name }) => names.includes(name))).create('dataset', {
      type: 'embedded-pascal',
      train: 8,
      val: 2,
      size: [24, 32],
      cache,
    });

  it('makes a PASCAL_MT in which nothing is wrong, and keeps it', async () => {
    const info = await dataset('semseg', 'saliency').prepare(quiet);
    expect(info.counts).to.deep.equal({ train: 8, val: 2 });
    const { layout, problems } = await checkFolder(info.root, quiet);
    expect(layout).to.equal('PASCAL_MT');
    expect(problems).to.deep.equal([]);
    const reports: number[] = [];
    const again = await dataset('semseg').prepare((done) => reports.push(done));
    expect([again.digest, reports]).to.deep.equal([info.digest, []]);
    const other = { train: 8, val: 2, size: [24, 32] as const, seed: 9 };
    expect((await rejection(generateScenes(info.root, other))).message).to.include('with other options');
  });

  it('has images with people only when parts are the only task', async () => {
    const all = dataset('semseg', 'human_parts');
    await all.prepare(quiet);
    const parts = dataset('human_parts');
    const { counts, notes } = await parts.prepare(quiet);
    const showing: string[] = [];
    for (const id of await all.ids('train'))
      if ((await all.load(id, ['human_parts'])).labels.human_parts.data.some((value) => value > 0))
        showing.push(id);
    expect(await parts.ids('train')).to.deep.equal(showing);
    expect(counts.train).to.equal(showing.length).and.to.be.within(1, 7);
    expect(notes).to.deep.equal(['images with people only']);
  });
});
