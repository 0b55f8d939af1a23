// test/reference/data/nyud was written by NumPy and Pillow (make_formats.py): pixel (y, x) of sample k has
// stored label (8y + x + k) mod 41, depth y + x/10 + k, and a normal of 0 in column 0, else (0, 0, -1).
import { cp, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import '../../../modules/datasets/nyud-v2.js';
import { encodeNpy } from '../../../modules/datasets/formats/npy.js';
import { encodeLabelPng } from '../../../modules/datasets/formats/png.js';
import { NYUD_FOLDERS, NYUD_TASKS, writeNyudSample } from '../../../modules/datasets/folders/nyud.js';
import { createTrialContainer } from '../../../registry/container.js';
import type { Task } from '../../../registry/contracts/tasks.js';
import { reference, rejection } from '../../support/reference.js';

const quiet = () => undefined;
/** Those that every release has labels for. */
const TASKS = NYUD_TASKS.filter(({ name }) => name !== 'edge');
const open = (root: string, tasks: readonly Task[] = TASKS, options = {}) =>
  createTrialContainer(tasks).create('dataset', { type: 'nyud-v2', root, ...options });

describe('nyud-v2', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'mtcp-nyud-'));
    await cp(reference('data/nyud'), root, { recursive: true });
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it('reads the release: shifted classes, raw depth and normals', async () => {
    const dataset = open(root);
    expect(await dataset.ids('train')).to.deep.equal(['0001']);
    expect(await dataset.ids('val')).to.deep.equal(['b 2.x']);
    const { id, image, labels } = await dataset.load('b 2.x', ['semseg', 'depth', 'normals']);
    expect(id).to.equal('b 2.x');
    expect(image).to.include({ height: 6, width: 8, channels: 3 });
    const pixel = 3 * (2 * 8 + 5);
    [150, 80, 100].forEach((level, k) => expect(image.data[pixel + k]).to.be.closeTo(level, 3));
    const at = (y: number, x: number) => y * 8 + x;
    expect(labels.semseg.data[at(0, 0)]).to.equal(0);
    expect(labels.semseg.data[at(2, 5)]).to.equal(21);
    expect(labels.semseg.data[at(5, 0)]).to.equal(255);
    expect(labels.depth.data[at(2, 5)]).to.be.closeTo(3.5, 1e-6);
    expect([...labels.normals.data.subarray(0, 6)]).to.deep.equal([0, 0, 0, 0, 0, -1]);
    expect(labels.normals).to.include({ kind: 'normals', channels: 3 });
  });

  it('names its classes as the benchmark does', () => {
    const { classes } = NYUD_TASKS[0];
    expect(classes).to.have.length(40);
    expect(['wall', 'floor-mat', 'otherprop'].map((name) => classes?.indexOf(name))).to.deep.equal([
      0, 19, 39,
    ]);
  });

  it('gathers the classes into the 13 of the other protocol, and keeps what is unlabelled', async () => {
    const dataset = open(root, NYUD_TASKS, { classes: 13 });
    const [{ channels, classes = [] }] = dataset.tasks;
    expect(channels).to.equal(13);
    const all = await open(root).load('b 2.x', ['semseg']);
    const { labels } = await dataset.load('b 2.x', ['semseg', 'depth']);
    expect(labels.depth.kind).to.equal('depth');
    const seen = new Map<string, string>();
    all.labels.semseg.data.forEach((value, p) => {
      const gathered = labels.semseg.data[p];
      if (value === 255) expect(gathered).to.equal(255);
      else seen.set(NYUD_TASKS[0].classes![value], classes[gathered]);
    });
    const expected = {
      furniture: 'cabinet bookshelf counter shelves dresser refridgerator night-stand otherfurniture',
      objects:
        'pillow mirror clothes paper towel shower-curtain box whiteboard person toilet sink lamp bathtub bag ' +
        'otherstructure otherprop',
      wall: 'wall door',
      window: 'window blinds curtain',
      floor: 'floor floor-mat',
      table: 'table desk',
      ...Object.fromEntries(
        ['bed', 'books', 'ceiling', 'chair', 'picture', 'sofa', 'television'].map((name) => [name, name]),
      ),
    };
    for (const [gathered, names] of Object.entries(expected))
      for (const name of names.split(' ')) expect(seen.get(name) ?? gathered, name).to.equal(gathered);
    expect(seen.size).to.be.above(30);
  });

  it('counts, and has a digest that changes with the files but not with the tasks', async () => {
    const all = await open(root).prepare(quiet);
    expect(all.counts).to.deep.equal({ train: 1, val: 1 });
    expect((await open(root, [NYUD_TASKS[1]]).prepare(quiet)).digest).to.equal(all.digest);
    await writeFile(join(root, 'gt_sets/val.txt'), '');
    expect((await open(root).prepare(quiet)).digest).not.to.equal(all.digest);
  });

  it('touches only the labels of the trial', async () => {
    await rm(join(root, 'normals'), { recursive: true });
    await rm(join(root, 'segmentation'), { recursive: true });
    const dataset = open(root, [NYUD_TASKS[1]]);
    await dataset.prepare(quiet);
    expect(Object.keys((await dataset.load('0001', ['depth'])).labels)).to.deep.equal(['depth']);
    const error = await rejection(open(root).prepare(quiet));
    expect(error.message).to.contain('4 of the files').and.to.contain('segmentation/0001.png');
  });

  it('says what is wrong with a folder', async () => {
    const nowhere = await rejection(open('/nowhere/NYUD_MT').prepare(quiet));
    expect(nowhere.where).to.equal('/nowhere/NYUD_MT');
    expect(nowhere.hint).to.contain('root');
    await writeFile(join(root, 'gt_sets/val.txt'), 'a\nb\na\n');
    expect((await rejection(open(root).prepare(quiet))).format()).to.contain('val.txt: lists "a" twice');
    await rm(join(root, 'gt_sets/val.txt'));
    expect((await rejection(open(root).prepare(quiet))).format()).to.contain('val.txt: file not found');
    expect((await rejection(open(root).load('0001', ['edges']))).message).to.contain('"edges"');
  });

  it('refuses labels out of range, naming file, pixel and value', async () => {
    const file = join(root, 'segmentation/0001.png');
    await writeFile(file, encodeLabelPng(new Uint8Array(48).fill(41, 19, 20), 6, 8));
    const error = await rejection(open(root).load('0001', ['semseg']));
    expect(error.format()).to.contain(`${file}: the label at row 2, column 3 is 41`);
  });

  it('refuses labels of another size, or fits them to the image', async () => {
    const file = join(root, 'depth/0001.npy');
    await writeFile(
      file,
      encodeNpy(
        Float32Array.from({ length: 12 }, (_, i) => i),
        [3, 4],
      ),
    );
    const error = await rejection(open(root).load('0001', ['depth']));
    expect(error.message).to.equal('the depth labels are 3x4, but the image is 6x8');
    expect(error.where).to.equal(file);
    const fitted = await open(root, TASKS, { size_mismatch: 'resize' }).load('0001', ['depth']);
    expect([...fitted.labels.depth.data.subarray(0, 8)]).to.deep.equal([0, 0, 1, 1, 2, 2, 3, 3]);
    await writeFile(file, encodeNpy(new Float32Array(48), [48]));
    expect((await rejection(open(root).load('0001', ['depth']))).message).to.contain('[48]');
  });

  it('reads edges of both releases, and names them in its digest only where they are needed', async () => {
    const before = (await open(root).prepare(quiet)).digest;
    await mkdir(join(root, 'edge'));
    const line = Float32Array.from({ length: 48 }, (_, i) => Number(i % 8 === 3));
    await writeFile(join(root, 'edge/0001.npy'), encodeNpy(line, [6, 8]));
    await writeFile(
      join(root, 'edge/b 2.x.png'),
      encodeLabelPng(
        Uint8Array.from(line, (v) => 255 * v),
        6,
        8,
      ),
    );
    for (const id of ['0001', 'b 2.x']) {
      const { labels } = await open(root, NYUD_TASKS).load(id, ['edge']);
      expect(labels.edge).to.include({ kind: 'boundary', channels: 1 });
      expect([...labels.edge.data]).to.deep.equal([...line]);
    }
    expect((await open(root).prepare(quiet)).digest).to.equal(before);
    const { digest } = await open(root, NYUD_TASKS).prepare(quiet);
    expect(digest).not.to.equal(before);
    line[0] = 2;
    await writeFile(join(root, 'edge/0001.npy'), encodeNpy(line, [6, 8]));
    expect((await open(root, NYUD_TASKS).prepare(quiet)).digest).not.to.equal(digest);
    const error = await rejection(open(root, NYUD_TASKS).load('0001', ['edge']));
    expect(error.format()).to.contain('edge/0001.npy: the label at row 0, column 0 is 2');
  });

  it('reads what its writer wrote', async () => {
    expect(NYUD_FOLDERS).to.have.members(['gt_sets', 'images', 'segmentation', 'depth', 'normals']);
    const values = (n: number) => Float32Array.from({ length: n }, (_, i) => i / 10);
    const semseg = Uint8Array.from({ length: 48 }, (_, i) => (i > 39 ? 255 : i));
    const written = { depth: values(48), normals: values(144) };
    await writeNyudSample(root, {
      id: 'new',
      height: 6,
      width: 8,
      image: new Uint8Array(144).fill(77),
      semseg,
      ...written,
    });
    expect((await stat(join(root, 'images/new.jpg'))).size).to.be.above(0);
    const { image, labels } = await open(root).load('new', ['semseg', 'depth', 'normals']);
    expect(labels.semseg.data).to.deep.equal(semseg);
    expect(labels.depth.data).to.deep.equal(written.depth);
    expect(labels.normals.data).to.deep.equal(written.normals);
    image.data.forEach((level) => expect(level).to.be.closeTo(77, 1));
  });
});
