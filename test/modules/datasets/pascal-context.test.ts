// A small PASCAL_MT that scipy and PIL wrote, against what the public loaders make of it.
import '../../../modules/datasets/pascal-context.js';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { encodeLabelPng } from '../../../modules/datasets/formats/png.js';
import { readNpy } from '../../../modules/datasets/formats/npy.js';
import { PASCAL_TASKS } from '../../../modules/datasets/folders/pascal-classes.js';
import { createTrialContainer } from '../../../registry/container.js';
import { reference, rejection } from '../../support/reference.js';

const ROOT = reference('data/pascal');
const IDS = ['2008_000001', '2008_000002', '2010 x.3'];
const quiet = () => undefined;
/** What tables say about a set of this size. */
const FEW = ['2 images in train; the benchmark has 4998', '1 images in val; the benchmark has 5105'];
const tasksNamed = (names: string[]) => PASCAL_TASKS.filter(({ name }) => names.includes(name));
const dataset = (names: string[], root = ROOT, more = {}) =>
  createTrialContainer(tasksNamed(names)).create('dataset', { type: 'pascal-context', root, ...more });

describe('pascal-context', () => {
  for (const [k, id] of IDS.entries())
    it(`gives the labels of ${id} as the public loaders do`, async () => {
      const names = PASCAL_TASKS.map(({ name }) => name);
      const { image, labels } = await dataset(names).load(id, names);
      expect([image.height, image.width, image.channels]).to.deep.equal([6, 9, 3]);
      for (const name of names) {
        const { data } = await readNpy(reference(`data/pascal/expected/${name}_${k}.npy`));
        expect([...labels[name].data], name).to.deep.equal([...data]);
      }
    });

  it('counts images, says what is distilled and needs only what is asked for', async () => {
    const info = await dataset(['semseg', 'saliency']).prepare(quiet);
    expect(info.counts).to.deep.equal({ train: 2, val: 1 });
    expect(info.notes).to.deep.equal(['saliency distilled from another network', ...FEW]);
    expect((await dataset(['semseg']).prepare(quiet)).notes).to.deep.equal(FEW);
  });

  it('keeps images with people when parts are the only task', async () => {
    const parts = dataset(['human_parts']);
    const { counts, notes } = await parts.prepare(quiet);
    // The list of train is there; val is looked through.
    expect(counts).to.deep.equal({ train: 1, val: 1 });
    expect(notes).to.deep.equal([...FEW, 'images with people only']);
    expect(await parts.ids('train')).to.deep.equal([IDS[0]]);
    const both = dataset(['semseg', 'human_parts']);
    await both.prepare(quiet);
    expect(await both.ids('train')).to.have.length(2);
  });

  describe('with faults', () => {
    let root: string;
    beforeEach(async () => {
      root = await mkdtemp(join(tmpdir(), 'mtcp-pascal-'));
      await cp(ROOT, root, { recursive: true });
    });
    afterEach(() => rm(root, { recursive: true, force: true }));

    it('names a label that is no class, and where it is', async () => {
      await writeFile(
        join(root, 'semseg/VOC12', `${IDS[0]}.png`),
        encodeLabelPng(new Uint8Array(54).fill(21), 6, 9),
      );
      const error = await rejection(dataset(['semseg'], root).load(IDS[0], ['semseg']));
      expect(error.message).to.equal('the label at row 0, column 0 is 21');
      expect(error.where).to.include(`VOC12/${IDS[0]}.png`);
    });

    it('refuses labels of another size unless they may be resized', async () => {
      await writeFile(
        join(root, 'sal_distill', `${IDS[1]}.png`),
        encodeLabelPng(new Uint8Array(12).fill(255), 3, 4),
      );
      const error = await rejection(dataset(['saliency'], root).load(IDS[1], ['saliency']));
      expect(error.message).to.include('3x4, but the image is 6x9');
      const resized = await dataset(['saliency'], root, { size_mismatch: 'resize' }).load(IDS[1], [
        'saliency',
      ]);
      expect(resized.labels.saliency.data).to.have.length(54);
    });

    it('says which files are missing', async () => {
      await rm(join(root, 'human_parts', `${IDS[2]}.mat`));
      const error = await rejection(dataset(['human_parts'], root).prepare(quiet));
      expect(error.message).to.include('1 of the files').and.include(`${IDS[2]}.mat`);
      await dataset(['semseg'], root).prepare(quiet);
    });
  });
});
