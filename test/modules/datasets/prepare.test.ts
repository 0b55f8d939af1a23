// Both benchmarks built from small files in the formats of their official sources, then checked and read; and
// what checking finds in folders that were spoilt on purpose.
import '../../../modules/datasets/nyud-v2.js';
import '../../../modules/datasets/pascal-context.js';
import {
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { checkFolder } from '../../../modules/datasets/folders/check.js';
import { encodeNpy, readNpy } from '../../../modules/datasets/formats/npy.js';
import { encodeLabelPng, readLabelPng } from '../../../modules/datasets/formats/png.js';
import { prepareNyud, type NyudSources } from '../../../modules/datasets/prepare/nyud.js';
import { normalsFromDepth } from '../../../modules/datasets/prepare/normals.js';
import { readContext } from '../../../modules/datasets/folders/pascal.js';
import { preparePascal } from '../../../modules/datasets/prepare/pascal.js';
import { createTrialContainer } from '../../../registry/container.js';
import { PASCAL_TASKS } from '../../../modules/datasets/folders/pascal-classes.js';
import { NYUD_TASKS, NyudFolder } from '../../../modules/datasets/folders/nyud.js';
import { reference, rejection } from '../../support/reference.js';

const quiet = () => undefined;
const source = (name: string) => reference(`data/sources/${name}`);
const NYU: NyudSources = {
  labeled: source('nyu/nyu_depth_v2_labeled.mat'),
  splits: source('nyu/splits.mat'),
  classes: source('nyu/classMapping40.mat'),
};
const VOC = { voc: source('VOC2010'), context: source('context'), parts: source('parts') };

describe('building benchmarks from their official files', () => {
  let root: string;
  const folder = (name: string) => join(root, name);
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'mtcp-prepare-'));
    await prepareNyud(folder('nyud'), { ...NYU, normals: 'derive' }, quiet);
    await preparePascal(folder('pascal'), { ...VOC, voc12: source('VOC2012') }, quiet);
  });
  after(() => rm(root, { recursive: true, force: true }));

  const expected = async (name: string) => (await readNpy(source(name))).data;

  it('nyud-v2: images, 40 classes, metres and the split', async () => {
    const dataset = createTrialContainer(NYUD_TASKS.filter(({ name }) => name !== 'edge')).create('dataset', {
      type: 'nyud-v2',
      root: folder('nyud'),
    });
    const { counts, notes } = await dataset.prepare(quiet);
    expect(counts).to.deep.equal({ train: 3, val: 2 });
    expect(notes).to.deep.equal([
      'normals derived from depth: mErr is not comparable with published numbers',
      '3 images in train; the benchmark has 795',
      '2 images in val; the benchmark has 654',
    ]);
    expect(await dataset.ids('val')).to.deep.equal(['0001', '0002']);
    const [images, depths, semseg] = await Promise.all(
      ['images', 'depths', 'semseg'].map((name) => expected(`nyu/expected_${name}.npy`)),
    );
    for (const [i, id] of ['0001', '0002', '0003', '0004', '0005'].entries()) {
      const { image, labels } = await dataset.load(id, ['semseg', 'depth', 'normals']);
      expect([image.height, image.width]).to.deep.equal([12, 16]);
      expect([...image.data]).to.deep.equal(Array.from(images.slice(576 * i, 576 * (i + 1))));
      expect([...labels.depth.data]).to.deep.equal(Array.from(depths.slice(192 * i, 192 * (i + 1))));
      const classes = Array.from(semseg.slice(192 * i, 192 * (i + 1)), (v) => (v === 0 ? 255 : v - 1));
      expect([...labels.semseg.data]).to.deep.equal(classes);
      expect(labels.normals.data.some((v) => v < -0.5)).to.equal(true);
    }
  });

  it('nyud-v2: edges of a NYUD_MT, each as large as its image', async () => {
    const edges = folder('edge');
    await mkdir(edges);
    const drawn = (k: number) => Uint8Array.from({ length: 192 }, (_, i) => Number(i % (k + 3) === 0));
    for (const k of [1, 2, 3, 4, 5]) {
      const bytes =
        k % 2
          ? encodeNpy(Float32Array.from(drawn(k)), [12, 16])
          : encodeLabelPng(
              drawn(k).map((v) => 255 * v),
              12,
              16,
            );
      await writeFile(join(edges, `000${k}.${k % 2 ? 'npy' : 'png'}`), bytes);
    }
    const target = folder('nyud-edges');
    const { notes } = await prepareNyud(target, { ...NYU, edges }, quiet);
    expect(notes).to.deep.equal(['no normals: the official files have none']);
    const tasks = NYUD_TASKS.filter(({ name }) => name === 'edge');
    const dataset = createTrialContainer(tasks).create('dataset', { type: 'nyud-v2', root: target });
    await dataset.prepare(quiet);
    for (const k of [1, 2, 3, 4, 5])
      expect([...(await dataset.load(`000${k}`, ['edge'])).labels.edge.data]).to.deep.equal([...drawn(k)]);

    const refused = async (path: string) =>
      (await rejection(prepareNyud(folder('nyud-refused'), { ...NYU, edges: path }, quiet))).format();
    expect(await refused(folder('nowhere')))
      .to.include('is not a folder of edges')
      .and.include('NYUD_MT');
    const smaller = folder('smaller');
    await cp(edges, smaller, { recursive: true });
    await writeFile(join(smaller, '0001.npy'), encodeNpy(new Float32Array(60), [6, 10]));
    expect(await refused(smaller)).to.include('is 6x10, but the image is 12x16');
    const fewer = folder('fewer');
    await cp(edges, fewer, { recursive: true });
    await rm(join(fewer, '0004.png'));
    await rm(folder('nyud-refused'), { recursive: true });
    expect(await refused(fewer)).to.include('has no edges of image 0004');
    // Edges are a part of what a folder was built from.
    expect((await rejection(prepareNyud(target, NYU, quiet))).message).to.include('with other options');
  });

  it('pascal-context: edges are thin lines between the regions of the annotations', async () => {
    const tasks = PASCAL_TASKS.filter(({ name }) => name === 'edge');
    const dataset = createTrialContainer(tasks).create('dataset', {
      type: 'pascal-context',
      root: folder('pascal'),
    });
    await dataset.prepare(quiet);
    for (const id of ['2008_000001', '2008_000002', '2009_000003']) {
      const regions = await readContext(join(folder('pascal'), `pascal-context/trainval/${id}.mat`));
      const { data, height, width } = (await dataset.load(id, ['edge'])).labels.edge;
      expect([height, width]).to.deep.equal([regions.height, regions.width]);
      const isBetween = (i: number) => {
        const [y, x] = [Math.floor(i / width), i % width];
        return [
          [y - 1, x],
          [y + 1, x],
          [y, x - 1],
          [y, x + 1],
        ].some(
          ([v, u]) =>
            v >= 0 && v < height && u >= 0 && u < width && regions.data[v * width + u] !== regions.data[i],
        );
      };
      const edges = [...data].flatMap((value, i) => (value ? i : []));
      expect(edges.length, id).to.be.above(0);
      expect(
        edges.filter((i) => !isBetween(i)),
        id,
      ).to.deep.equal([]);
    }
  });

  it('normals derived from depth stand on a tilted plane, and are unknown at edges', () => {
    const [height, width] = [24, 32];
    const focal = (518.86 / 640) * width;
    // The plane n . p = d in front of the camera.
    const n = [0.3, -0.5, -Math.sqrt(1 - 0.34)];
    const data = Float32Array.from({ length: height * width }, (_, i) => {
      const [x, y] = [((i % width) - width / 2) / focal, (Math.floor(i / width) - height / 2) / focal];
      return i % width < 4 ? 9 : -2 / (n[0] * x + n[1] * y + n[2]);
    });
    const normals = normalsFromDepth({ height, width, channels: 1, data });
    const at = (y: number, x: number) =>
      Array.from(normals.slice(3 * (y * width + x), 3 * (y * width + x) + 3));
    at(12, 20).forEach((value, k) => expect(value).to.be.closeTo(n[k], 0.02));
    expect(at(12, 4)).to.deep.equal([0, 0, 0]);
  });

  it('pascal-context: class maps of VOC12 or made of PASCAL-Context, and what cannot be rebuilt', async () => {
    const tasks = PASCAL_TASKS.filter(({ name }) => name === 'semseg');
    const dataset = createTrialContainer(tasks).create('dataset', {
      type: 'pascal-context',
      root: folder('pascal'),
    });
    await dataset.prepare(quiet);
    expect(await dataset.ids('train')).to.deep.equal(['2008_000001', '2009_000003']);
    const voc = await readLabelPng(source('VOC2012/SegmentationClass/2008_000001.png'));
    const semseg = async (id: string) => [...(await dataset.load(id, ['semseg'])).labels.semseg.data];
    expect(await semseg('2008_000001')).to.deep.equal([...voc.data]);
    expect(await semseg('2008_000002')).to.deep.equal([...(await expected('expected_context_1.npy'))]);
    expect(await semseg('2009_000003')).to.deep.equal([...(await expected('expected_context_2.npy'))]);
    const lists = JSON.parse(await readFile(join(folder('pascal'), 'ImageSets/Parts/val.txt'), 'utf8'));
    // The second annotation has a person without parts and one without a pixel.
    expect(lists).to.deep.equal({ '2008_000002': [15, -1] });
    const { notes } = JSON.parse(await readFile(join(folder('pascal'), 'prepared.json'), 'utf8'));
    expect(notes.join()).to.include('no saliency').and.include('no normals');
  });

  it('goes on where it was interrupted, keeps what is finished, and notices changes', async () => {
    const target = folder('again');
    await cp(folder('nyud'), target, { recursive: true });
    const old = await stat(join(target, 'depth/0001.npy'));
    await Promise.all(
      ['prepared.json', 'depth/0004.npy', 'gt_sets/val.txt'].map((name) => rm(join(target, name))),
    );
    await prepareNyud(target, { ...NYU, normals: 'derive' }, quiet);
    expect((await stat(join(target, 'depth/0001.npy'))).mtimeMs).to.equal(old.mtimeMs);
    const manifest = await readFile(join(target, 'prepared.json'), 'utf8');
    expect(manifest).to.equal(await readFile(join(folder('nyud'), 'prepared.json'), 'utf8'));
    await prepareNyud(target, { ...NYU, normals: 'derive' }, quiet);
    expect((await rejection(prepareNyud(target, NYU, quiet))).message).to.include('with other options');
    await writeFile(join(target, 'segmentation/0002.png'), encodeLabelPng(new Uint8Array(192), 12, 16));
    const error = await rejection(prepareNyud(target, { ...NYU, normals: 'derive' }, quiet));
    expect(error.message).to.include('segmentation/0002.png');
    const { problems } = await checkFolder(target, quiet);
    expect(problems.map(({ file }) => file)).to.include('segmentation/0002.png');
  });

  it('refuses sources that are not what they should be, and folders of others', async () => {
    const wrong = async (sources: Partial<NyudSources>) =>
      (await rejection(prepareNyud(folder('x'), { ...NYU, ...sources }, quiet))).format();
    expect(await wrong({ labeled: NYU.splits }))
      .to.include('splits.mat')
      .and.include('is not an HDF5 file');
    expect(await wrong({ labeled: '/nowhere.mat' }))
      .to.include('/nowhere.mat')
      .and.include('not found');
    expect(await wrong({ classes: NYU.splits })).to.include('mapClass');
    expect(await wrong({ splits: NYU.classes })).to.include('trainNdxs');
    const cut = folder('cut.mat');
    await writeFile(cut, (await readFile(NYU.labeled)).subarray(0, 4000));
    expect(await wrong({ labeled: cut })).to.include('cut.mat');
    const error = await rejection(prepareNyud(source('nyu'), NYU, quiet));
    expect(error.message).to.include('was not begun by');
    expect(await readdir(source('nyu'))).to.have.length(6);
  });

  describe('data check', () => {
    let spoilt: string;
    beforeEach(async () => {
      spoilt = await mkdtemp(join(tmpdir(), 'mtcp-check-'));
      await cp(folder('nyud'), spoilt, { recursive: true });
      await rm(join(spoilt, 'prepared.json'));
    });
    afterEach(() => rm(spoilt, { recursive: true, force: true }));

    it('finds every fault in one pass, each with its file', async () => {
      const at = (name: string) => join(spoilt, name);
      const map = (fill: number, index: number, value: number) => {
        const data = new Float32Array(192).fill(fill);
        data[index] = value;
        return data;
      };
      await rm(at('depth/0001.npy'));
      await writeFile(at('depth/0002.npy'), encodeNpy(map(2, 17, NaN), [12, 16]));
      await writeFile(at('depth/0003.npy'), encodeNpy(map(2, 0, -1), [12, 16]));
      await writeFile(at('depth/0004.npy'), (await readFile(at('depth/0004.npy'))).subarray(0, 200));
      await writeFile(at('normals/0001.npy'), encodeNpy(new Float32Array(576).fill(0.4), [12, 16, 3]));
      await writeFile(at('segmentation/0001.png'), encodeLabelPng(new Uint8Array(192).fill(41), 12, 16));
      await writeFile(at('segmentation/0002.png'), encodeLabelPng(new Uint8Array(12), 3, 4));
      await copyFile(at('images/0005.png'), at('images/0005.jpg'));
      await rm(at('segmentation/0005.png'));
      await symlink(source('nyu/expected_semseg.npy'), at('segmentation/0005.png'));
      await writeFile(at('gt_sets/val.txt'), '0001\n0002\n0003\n');
      const { problems, warnings, counts } = await checkFolder(spoilt, quiet);
      expect(counts).to.deep.equal({ train: 3, val: 3 });
      const said = Object.fromEntries(problems.map(({ file, message }) => [file, message]));
      expect(said['depth/0001.npy']).to.equal('file not found');
      expect(said['depth/0002.npy']).to.equal(
        'at row 1, column 1: the depth is NaN; depths are metres, 0 for unknown',
      );
      expect(said['depth/0003.npy']).to.include('row 0, column 0: the depth is -1');
      expect(said['depth/0004.npy']).to.be.a('string');
      expect(said['normals/0001.npy']).to.include('has length 0.6928');
      expect(said['segmentation/0001.png']).to.equal('the label at row 0, column 0 is 41');
      expect(said['segmentation/0002.png']).to.include('3x4, but the image is 12x16');
      expect(said['images/0005.png']).to.equal('has the id of 0005.jpg');
      expect(said['images/0005.jpg']).to.include('is not a JPEG image');
      const lists = problems.filter(({ file }) => file === 'gt_sets/val.txt').map(({ message }) => message);
      expect(lists).to.include('lists "0003", which is in the training split too');
      // A part of the benchmark may be meant.
      expect(lists).not.to.include('lists 3 images; the benchmark has 654');
      const doubts = warnings.map(({ file, message }) => `${file} ${message}`);
      expect(doubts).to.include('gt_sets/val.txt lists 3 images; the benchmark has 654');
      // What to do is said as a run says it.
      const hints = Object.fromEntries(problems.map(({ file, hint }) => [file, hint]));
      expect(hints['segmentation/0001.png']).to.equal('labels are 0 (unknown) to 40');
      expect(hints['segmentation/0002.png']).to.include('size_mismatch');
    });

    it('has nothing to say about files that are right, but for their number', async () => {
      const { problems, warnings, layout } = await checkFolder(spoilt, quiet);
      expect(layout).to.equal('NYUD_MT');
      expect(problems).to.deep.equal([]);
      expect(warnings.map(({ file }) => file)).to.deep.equal(['gt_sets/train.txt', 'gt_sets/val.txt']);
    });

    it('takes links to folders and files as training does, but for those that lead nowhere', async () => {
      const elsewhere = await mkdtemp(join(tmpdir(), 'mtcp-elsewhere-'));
      await cp(join(spoilt, 'depth'), join(elsewhere, 'depth'), { recursive: true });
      await rm(join(spoilt, 'depth'), { recursive: true });
      await symlink(join(elsewhere, 'depth'), join(spoilt, 'depth'));
      expect((await checkFolder(spoilt, quiet)).problems).to.deep.equal([]);
      await rm(join(spoilt, 'images/0001.png'));
      await symlink(join(elsewhere, 'nothing'), join(spoilt, 'images/0001.png'));
      const { problems } = await checkFolder(spoilt, quiet);
      expect(problems.map(({ message }) => message)).to.deep.equal([
        'is a link to a file that does not exist',
      ]);
    });

    it('names a file whose ending has other capitals, as a run does', async () => {
      await rename(join(spoilt, 'depth/0001.npy'), join(spoilt, 'depth/0001.NPY'));
      const { problems } = await checkFolder(spoilt, quiet);
      expect(problems.map(({ file, hint }) => [file, hint])).to.deep.equal([
        ['depth/0001.npy', 'there is 0001.NPY, and capitals count: rename it to 0001.npy'],
      ]);
      const error = await rejection(new NyudFolder(spoilt, 'error').verify(['depth'], quiet));
      expect(error.hint).to.include('there is 0001.NPY');
    });

    it('doubts normals by which floors point down', async () => {
      const put = async (normal: [number, number, number]) => {
        for (const id of ['0001', '0002']) {
          await writeFile(
            join(spoilt, `segmentation/${id}.png`),
            encodeLabelPng(new Uint8Array(192).fill(2), 12, 16),
          );
          const data = Float32Array.from({ length: 576 }, (_, i) => normal[i % 3]);
          await writeFile(join(spoilt, `normals/${id}.npy`), encodeNpy(data, [12, 16, 3]));
        }
        const { problems, warnings } = await checkFolder(spoilt, quiet);
        expect(problems).to.deep.equal([]);
        return warnings.filter(({ file }) => file === 'normals').map(({ message }) => message);
      };
      expect(await put([0, -1, 0])).to.deep.equal([]);
      expect((await put([0, 1, 0])).join()).to.match(
        /^floors point down, to \([-.\d]+, 1, [-.\d]+\) on average$/,
      );
      expect((await put([0, 0, -1])).join()).to.match(/^floors point sideways, to \([-.\d]+, [-.\d]+, -1\)/);
    });

    it('refuses a folder of another kind', async () => {
      expect((await rejection(checkFolder(source('nyu'), quiet))).message).to.include('neither a NYUD_MT');
    });
  });
});
