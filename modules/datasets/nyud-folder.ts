// A folder in the layout of the NYUD_MT release (Vandenhende et al.), read and written here alone:
//   images/<id>.jpg        RGB
//   segmentation/<id>.png  0 unlabelled, 1..40 the classes below
//   depth/<id>.npy         [H,W] metres along the optical axis, 0 unknown
//   normals/<id>.npy       [H,W,3] unit vectors, zero vector unknown
//   gt_sets/train.txt, gt_sets/val.txt   one id a line; "val" is the benchmark's test set
// Ids are opaque. Only the labels that are asked for are opened.
import { createHash } from 'node:crypto';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LabelMap, MapData, Sample, Split } from '../../registry/contracts/data.js';
import { IGNORE, labelChannels, type Task } from '../../registry/contracts/tasks.js';
import { MtcpError } from '../../registry/errors.js';
import { didYouMean } from '../../registry/near.js';
import { resize } from '../transforms/warp.js';
import { readBytes } from './formats/file.js';
import { encodeJpeg, readJpeg } from './formats/jpeg.js';
import { encodeNpy, readNpy } from './formats/npy.js';
import { encodeLabelPng, readLabelPng } from './formats/png.js';

export const NYUD_CLASSES = [
  'wall',
  'floor',
  'cabinet',
  'bed',
  'chair',
  'sofa',
  'table',
  'door',
  'window',
  'bookshelf',
  'picture',
  'counter',
  'blinds',
  'desk',
  'shelves',
  'curtain',
  'dresser',
  'pillow',
  'mirror',
  'floor-mat',
  'clothes',
  'ceiling',
  'books',
  'refridgerator',
  'television',
  'paper',
  'towel',
  'shower-curtain',
  'box',
  'whiteboard',
  'person',
  'night-stand',
  'toilet',
  'sink',
  'lamp',
  'bathtub',
  'bag',
  'otherstructure',
  'otherfurniture',
  'otherprop',
] as const;

export const NYUD_TASKS: readonly Task[] = [
  { name: 'semseg', kind: 'classes', channels: NYUD_CLASSES.length, classes: NYUD_CLASSES },
  { name: 'depth', kind: 'depth', channels: 1 },
  { name: 'normals', kind: 'normals', channels: 3 },
];

export const SPLITS: readonly Split[] = ['train', 'val'];

/** Folder and ending of each kind of file. */
const FILES: Readonly<Record<string, readonly [folder: string, ending: string]>> = {
  image: ['images', 'jpg'],
  semseg: ['segmentation', 'png'],
  depth: ['depth', 'npy'],
  normals: ['normals', 'npy'],
};

/** What to do with a label map whose size is not the image's. */
export type SizeMismatch = 'error' | 'resize';

export class NyudFolder {
  constructor(
    readonly root: string,
    private readonly sizeMismatch: SizeMismatch,
  ) {}

  async ids(split: Split): Promise<readonly string[]> {
    const file = splitFile(this.root, split);
    const ids = (await readBytes(file))
      .toString('utf8')
      .split(/\r?\n/)
      .map((line) => line.trim());
    const present = ids.filter((id) => id !== '');
    const twice = present.find((id, i) => present.indexOf(id) !== i);
    if (twice !== undefined) throw new MtcpError('data', `lists "${twice}" twice`, { where: file });
    return present;
  }

  async load(id: string, tasks: readonly string[]): Promise<Sample> {
    const image = await readJpeg(this.#file('image', id));
    const labels: Record<string, LabelMap> = {};
    for (const task of tasks) {
      const { kind } = taskNamed(task);
      const file = this.#file(task, id);
      const map = task === 'semseg' ? await readClasses(file) : await readValues(file, labelChannels(kind));
      labels[task] = { kind, ...this.#matchSize(map, image, task, file) };
    }
    return { id, image, labels };
  }

  #file(kind: string, id: string): string {
    const [folder, ending] = FILES[kind];
    return join(this.root, folder, `${id}.${ending}`);
  }

  #matchSize(map: MapData, image: MapData, task: string, file: string): MapData {
    if (map.height === image.height && map.width === image.width) return map;
    if (this.sizeMismatch === 'resize')
      return resize(map, image.height, image.width, task === 'normals' ? 'cubic' : 'nearest');
    const sizes = `${map.height}x${map.width}, but the image is ${image.height}x${image.width}`;
    throw new MtcpError('data', `the ${task} labels are ${sizes}`, {
      where: file,
      hint: 'labels and image must match; "size_mismatch: resize" fits the labels to the image',
    });
  }

  /**
   * Checks that the images and the labels of `tasks` exist.
   * @returns how many samples each split has, and a hash of their ids and of the sizes of all their files
   */
  async verify(
    tasks: readonly string[],
    report: (done: number, total: number, what: string) => void,
  ): Promise<{ counts: Record<Split, number>; digest: string }> {
    await this.#checkRoot();
    const splits = await Promise.all(SPLITS.map((split) => this.ids(split)));
    const counts = { train: splits[0].length, val: splits[1].length };
    const total = counts.train + counts.val;
    const needed = new Set(['image', ...tasks]);
    const missing: string[] = [];
    const hash = createHash('sha256');
    let done = 0;
    for (const [i, ids] of splits.entries()) {
      hash.update(`${SPLITS[i]}\n`);
      for (const id of ids) {
        const sizes = await Promise.all(Object.keys(FILES).map((kind) => sizeOf(this.#file(kind, id))));
        for (const [k, kind] of Object.keys(FILES).entries())
          if (sizes[k] === undefined && needed.has(kind)) missing.push(this.#file(kind, id));
        hash.update(`${id} ${sizes.map((size) => size ?? '-').join(' ')}\n`);
        if (++done % 100 === 0 || done === total) report(done, total, 'checking files');
      }
    }
    if (missing.length > 0)
      throw new MtcpError(
        'data',
        `${missing.length} of the files that the splits list are missing: ${missing.slice(0, 3).join(', ')}${missing.length > 3 ? ', ...' : ''}`,
        { where: this.root, hint: 'the copy is not complete; fetch the data set again or correct "root"' },
      );
    return { counts, digest: hash.digest('hex').slice(0, 16) };
  }

  async #checkRoot(): Promise<void> {
    const folder = await stat(this.root).catch(() => undefined);
    if (!folder?.isDirectory())
      throw new MtcpError('data', 'the folder of the data set does not exist', {
        where: this.root,
        hint: 'set the data set\'s "root" to the folder that holds images/, segmentation/ and gt_sets/',
      });
  }
}

function splitFile(root: string, split: Split): string {
  return join(root, 'gt_sets', `${split}.txt`);
}

function taskNamed(name: string): Task {
  const task = NYUD_TASKS.find((known) => known.name === name);
  if (task) return task;
  const names = NYUD_TASKS.map((known) => known.name);
  throw new MtcpError('data', `there are no labels for a task "${name}"`, { hint: didYouMean(name, names) });
}

async function sizeOf(file: string): Promise<number | undefined> {
  return (await stat(file).catch(() => undefined))?.size;
}

/** Stored 0 is IGNORE, stored v is class v - 1. */
async function readClasses(file: string): Promise<MapData> {
  const map = await readLabelPng(file);
  const data = new Uint8Array(map.data.length);
  for (let i = 0; i < data.length; i++) {
    const value = map.data[i];
    if (value > NYUD_CLASSES.length)
      throw new MtcpError(
        'data',
        `the label at row ${Math.floor(i / map.width)}, column ${i % map.width} is ${value}`,
        { where: file, hint: `labels are 0 (unknown) to ${NYUD_CLASSES.length}` },
      );
    data[i] = value === 0 ? IGNORE : value - 1;
  }
  return { ...map, data };
}

async function readValues(file: string, channels: number): Promise<MapData> {
  const { shape, data, dtype } = await readNpy(file);
  const [height, width, depth = 1] = shape;
  if (shape.length < 2 || shape.length > 3 || depth !== channels || !(data instanceof Float32Array))
    throw new MtcpError('data', `holds ${dtype} of shape [${shape.join(', ')}]`, {
      where: file,
      hint: `expected floats of shape [height, width${channels > 1 ? `, ${channels}` : ''}]`,
    });
  return { height, width, channels, data };
}

/** What a new folder is filled with: bytes, labels as they are in memory. */
export interface NyudSample {
  id: string;
  height: number;
  width: number;
  image: Uint8Array;
  semseg: Uint8Array;
  depth: Float32Array;
  normals: Float32Array;
}

/** The folders of the layout, relative to its root. */
export const NYUD_FOLDERS: readonly string[] = ['gt_sets', ...Object.values(FILES).map(([folder]) => folder)];

/** Writes the four files of a sample into a folder that nobody reads yet. */
export async function writeNyudSample(root: string, sample: NyudSample): Promise<void> {
  const { id, height, width } = sample;
  const file = (kind: string) => join(root, FILES[kind][0], `${id}.${FILES[kind][1]}`);
  const stored = sample.semseg.map((value) => (value === IGNORE ? 0 : value + 1));
  await Promise.all([
    writeFile(file('image'), await encodeJpeg(sample.image, height, width, 95)),
    writeFile(file('semseg'), encodeLabelPng(stored, height, width)),
    writeFile(file('depth'), encodeNpy(sample.depth, [height, width])),
    writeFile(file('normals'), encodeNpy(sample.normals, [height, width, 3])),
  ]);
}

export async function writeNyudSplit(root: string, split: Split, ids: readonly string[]): Promise<void> {
  await writeFile(splitFile(root, split), ids.map((id) => `${id}\n`).join(''));
}
