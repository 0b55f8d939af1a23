// A folder in the layout of the NYUD_MT release (Vandenhende et al.), read and written here alone:
//   images/<id>.jpg        RGB
//   segmentation/<id>.png  0 unlabelled, 1..40 the classes below
//   depth/<id>.npy         [H,W] metres along the optical axis, 0 unknown
//   normals/<id>.npy       [H,W,3] unit vectors, zero vector unknown
//   edge/<id>.npy          [H,W] 1 where a boundary is, else 0
//   gt_sets/train.txt, gt_sets/val.txt   one id a line; "val" is the benchmark's test set
// Ids are opaque. Only the labels that are asked for are opened. Other releases of the same set are told by the
// endings of their files:
//   InvPT, early ATRC           images/<id>.png, normals/<id>.png (n = 2 v / 255 - 1), edge/<id>.png (255 a boundary)
//   Attentive Single-Tasking    segmentation/<id>.mat, depth/<id>.mat, normals/<id>.jpg
import { stat, writeFile } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import {
  IGNORE,
  MtcpError,
  type MapData,
  type Sample,
  type Split,
  type Task,
} from '../../../registry/index.js';
import { encodeJpeg, readJpeg } from '../formats/jpeg.js';
import { readMat, rowMajor } from '../formats/mat.js';
import { encodeNpy, readNpy } from '../formats/npy.js';
import { encodeLabelPng, readLabelPng, readRgbPng } from '../formats/png.js';
import { borders } from '../../support/outline.js';
import { thin } from '../../support/thin.js';
import { locate, verifyFiles, type Layout, type ReportProgress, type SizeMismatch } from './layout.js';
import { inThirteenClasses, withThirteenClasses, type NyudClassCount } from './nyud-13.js';
import { SampleFolder } from './sample-folder.js';
import { checkValues, toBytes, toVectors } from './values.js';
// The kinds of its tasks: a digest of the data set's code covers theirs.
import '../../tasks/boundary.js';
import '../../tasks/classes.js';
import '../../tasks/depth.js';
import '../../tasks/normals.js';

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
  { name: 'edge', kind: 'boundary', channels: 1 },
];

/** The tasks of the layout with this many classes of segmentation. */
export const nyudTasks = (classes: NyudClassCount): readonly Task[] =>
  classes === 40 ? NYUD_TASKS : withThirteenClasses(NYUD_TASKS);

/** Images of the benchmark. */
export const NYUD_COUNTS: Record<Split, number> = { train: 795, val: 654 };

/** Names of the files of each kind; the first is that of the release, and the one that is written. */
const FILES: Layout['files'] = {
  image: (id) => [`images/${id}.jpg`, `images/${id}.png`],
  semseg: (id) => [`segmentation/${id}.png`, `segmentation/${id}.mat`],
  depth: (id) => [`depth/${id}.npy`, `depth/${id}.mat`],
  normals: (id) => [`normals/${id}.npy`, `normals/${id}.png`, `normals/${id}.jpg`],
  edge: (id) => [`edge/${id}.npy`, `edge/${id}.png`],
};

/** What a digest has if a trial needs it, so that those of other trials are what they were before there were edges. */
const OPTIONAL: ReadonlySet<string> = new Set(['edge']);

/** A direction in bytes shorter than this stands for none. */
const NO_DIRECTION = 0.02;

const splitFile = (split: Split): string => `gt_sets/${split}.txt`;

export class NyudFolder extends SampleFolder {
  readonly contents = 'images/, segmentation/ and gt_sets/';
  readonly files: Layout['files'];
  readonly optional = OPTIONAL;
  readonly tasks: readonly Task[];
  readonly splitFile = splitFile;
  protected readonly readImage = readPhoto;

  /** @param edges `stored` in files of their own, or those `of classes`: of folders that have none, such as rendered rooms */
  constructor(
    root: string,
    sizeMismatch: SizeMismatch,
    private readonly classes: NyudClassCount = 40,
    private readonly edges: 'stored' | 'of classes' = 'stored',
  ) {
    super(root, sizeMismatch);
    this.files = edges === 'stored' ? FILES : { ...FILES, edge: FILES.semseg };
    this.tasks = nyudTasks(classes);
  }

  protected readLabel({ name }: Task, file: string): Promise<MapData> {
    return name === 'edge' && this.edges === 'of classes' ? edgesOfClasses(file) : READERS[name](file);
  }

  override async load(id: string, tasks: readonly string[]): Promise<Sample> {
    const sample = await super.load(id, tasks);
    const { semseg } = sample.labels;
    if (this.classes === 40 || semseg === undefined) return sample;
    return { ...sample, labels: { ...sample.labels, semseg: inThirteenClasses(semseg) } };
  }

  /** Checks that the images and the labels of `tasks` exist: see `verifyFiles`. */
  async verify(tasks: readonly string[], report: ReportProgress) {
    await refuseMtan(this.root);
    return verifyFiles(this, new Set(['image', ...tasks]), report);
  }

  /** Which release this is, by the endings of one sample's files. */
  async variant(): Promise<string> {
    const id = (await this.ids('train'))[0] ?? '';
    const endings = await Promise.all(
      ['image', 'semseg', 'normals'].map(async (kind) => extname(await locate(this, kind, id))),
    );
    if (endings[1] === '.mat') return 'files of Attentive Single-Tasking';
    return endings[0] === '.png' && endings[2] === '.png' ? 'files of InvPT' : 'NYUD_MT';
  }
}

/** MTAN's folder of the same name has other images, other sizes and 13 classes. */
async function refuseMtan(root: string): Promise<void> {
  const found = await Promise.all(
    ['gt_sets', 'train/label'].map((name) => stat(join(root, name)).catch(() => undefined)),
  );
  if (!found[0] && found[1])
    throw new MtcpError('data', 'is the 13-class "nyuv2" of MTAN, another benchmark', {
      where: root,
      hint: 'the 40-class set has images/, segmentation/, depth/, normals/ and gt_sets/',
    });
}

function readPhoto(file: string): Promise<MapData> {
  return extname(file) === '.png' ? readRgbPng(file) : readJpeg(file);
}

/** How the labels of each task are stored. */
const READERS: Readonly<Record<string, (file: string) => Promise<MapData>>> = {
  semseg: readClasses,
  depth: (file) => (extname(file) === '.npy' ? readValues(file, 1) : readDepthMat(file)),
  normals: (file) => (extname(file) === '.npy' ? readValues(file, 3) : readNormalsImage(file)),
  edge: readEdges,
};

/** 1 from a half on, as the field's losses read it. `<id>.npy` or `<id>.png`. */
export async function readEdges(file: string): Promise<MapData> {
  if (extname(file) === '.png') return toBytes(await readLabelPng(file), (value) => Number(value > 127));
  const { shape, data } = await readNpy(file);
  const [height, width] = shape;
  if (shape.length !== 2)
    throw new MtcpError('data', `holds an array of shape [${shape.join(', ')}]`, {
      where: file,
      hint: 'expected [height, width] of 0 and 1',
    });
  const map = { height, width, channels: 1, data };
  checkValues(map, (value) => value >= 0 && value <= 1, { file, hint: 'edges are 0 or 1' });
  return toBytes(map, (value) => Number(value >= 0.5));
}

/** Thin lines between the classes of a label map. */
async function edgesOfClasses(file: string): Promise<MapData> {
  const classes = await readClasses(file);
  const { height, width } = classes;
  return { ...classes, data: thin(borders(classes.data, height, width), height, width) };
}

async function readDepthMat(file: string): Promise<MapData> {
  const map = await readMatrix(file, 'depth');
  return { ...map, data: Float32Array.from(map.data) };
}

async function readMatrix(file: string, name: string): Promise<MapData> {
  const variable = (await readMat(file, name))[name];
  if (variable?.kind === 'numbers' && variable.shape.length === 2) return rowMajor(variable);
  throw new MtcpError('data', `has no matrix "${name}"`, { where: file });
}

async function readNormalsImage(file: string): Promise<MapData> {
  const image = await readPhoto(file);
  const data = toVectors(image.data);
  for (let i = 0; i < data.length; i += 3)
    if (data[i] ** 2 + data[i + 1] ** 2 + data[i + 2] ** 2 < NO_DIRECTION ** 2) data.fill(0, i, i + 3);
  return { ...image, data };
}

/** Stored 0 is IGNORE, stored v is class v - 1. */
async function readClasses(file: string): Promise<MapData> {
  const map = await (extname(file) === '.mat' ? readMatrix(file, 'segmentation') : readLabelPng(file));
  const known = NYUD_CLASSES.length;
  checkValues(map, (value) => value >= 0 && value <= known, {
    file,
    hint: `labels are 0 (unknown) to ${known}`,
  });
  return toBytes(map, (value) => (value === 0 ? IGNORE : value - 1));
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
export const NYUD_FOLDERS: readonly string[] = [
  'gt_sets',
  ...Object.entries(FILES).flatMap(([kind, names]) => (OPTIONAL.has(kind) ? [] : dirname(names('id')[0]))),
];

/** Writes the four files of a sample into a folder that is not in use yet. */
export async function writeNyudSample(root: string, sample: NyudSample): Promise<void> {
  const { id, height, width } = sample;
  const file = (kind: string) => join(root, FILES[kind](id)[0]);
  const stored = sample.semseg.map((value) => (value === IGNORE ? 0 : value + 1));
  await Promise.all([
    writeFile(file('image'), await encodeJpeg(sample.image, height, width, 95)),
    writeFile(file('semseg'), encodeLabelPng(stored, height, width)),
    writeFile(file('depth'), encodeNpy(sample.depth, [height, width])),
    writeFile(file('normals'), encodeNpy(sample.normals, [height, width, 3])),
  ]);
}

export async function writeNyudSplit(root: string, split: Split, ids: readonly string[]): Promise<void> {
  await writeFile(join(root, splitFile(split)), ids.map((id) => `${id}\n`).join(''));
}
