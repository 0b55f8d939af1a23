// A folder in the layout of PASCAL_MT (Maninis et al.), read and written here alone:
//   JPEGImages/<id>.jpg                     RGB
//   semseg/VOC12/<id>.png                   index 0..20, 255 void; preferred where it exists
//   semseg/pascal-context/<id>.png          the same, made of PASCAL-Context's labels
//   human_parts/<id>.mat                    annotation of PASCAL-Part
//   sal_distill/<id>.png                    grey, above 127 salient
//   normals_distill/<id>.png                RGB, n = 2 v / 255 - 1
//   pascal-context/trainval/<id>.mat        LabelMap, 0..459: says where normals count, and edges are
//                                           between its regions
//   ImageSets/Context/{train,val}.txt       one id a line; "val" is the benchmark's test set
//   ImageSets/Parts/{train,val}.txt         JSON: the classes of each image's objects
// Ids are opaque. Only the labels that are asked for are opened.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IGNORE, MtcpError, type MapData, type Split, type Task } from '../../../registry/index.js';
import { readBytes } from '../formats/file.js';
import { encodeJpeg, readJpeg } from '../formats/jpeg.js';
import { encodeMat, readMat, rowMajor } from '../formats/mat.js';
import { encodeLabelPng, encodeRgbPng, readLabelPng, readRgbPng } from '../formats/png.js';
import { locate, SPLITS, verifyFiles, type Layout, type ReportProgress } from './layout.js';
import { NORMALS_VALID, PASCAL_TASKS, PERSON, VOC_CLASSES } from './pascal-classes.js';
import {
  encodeAnnotation,
  readAnnotation,
  readHumanParts,
  showsPerson,
  type ObjectMasks,
} from './pascal-parts.js';
import { laplacianEdges } from '../../support/outline.js';
import { thin } from '../../support/thin.js';
import { SampleFolder } from './sample-folder.js';
import { checkValues, toBytes, toVectors } from './values.js';

/** Images of the benchmark. */
export const PASCAL_COUNTS: Record<Split, number> = { train: 4998, val: 5105 };

const FILES: Layout['files'] = {
  image: (id) => [`JPEGImages/${id}.jpg`],
  semseg: (id) => [`semseg/VOC12/${id}.png`, `semseg/pascal-context/${id}.png`],
  human_parts: (id) => [`human_parts/${id}.mat`],
  saliency: (id) => [`sal_distill/${id}.png`],
  normals: (id) => [`normals_distill/${id}.png`],
  context: (id) => [`pascal-context/trainval/${id}.mat`],
  edge: (id) => [`pascal-context/trainval/${id}.mat`],
};

/** `context` has the same files. */
const OPTIONAL: ReadonlySet<string> = new Set(['edge']);

const splitFile = (split: Split): string => `ImageSets/Context/${split}.txt`;
const partsFile = (split: Split): string => `ImageSets/Parts/${split}.txt`;

export class PascalFolder extends SampleFolder {
  readonly contents = 'JPEGImages/, semseg/, human_parts/, sal_distill/ and ImageSets/';
  readonly files = FILES;
  readonly optional = OPTIONAL;
  readonly others = SPLITS.map(partsFile);
  readonly tasks = PASCAL_TASKS;
  readonly splitFile = splitFile;
  protected readonly readImage = readJpeg;

  protected readLabel({ name }: Task, file: string, id: string, image: MapData): Promise<MapData> {
    if (name === 'semseg') return readClasses(file);
    if (name === 'human_parts') return readHumanParts(file, image);
    if (name === 'saliency') return readSaliency(file);
    if (name === 'edge') return readEdges(file);
    return this.#readNormals(id, file);
  }

  async #readNormals(id: string, file: string): Promise<MapData> {
    const image = await readRgbPng(file);
    const context = await readContext(await locate(this, 'context', id));
    if (context.height !== image.height || context.width !== image.width)
      throw new MtcpError(
        'data',
        `is ${image.height}x${image.width}, but the PASCAL-Context labels that say where it counts are ${context.height}x${context.width}`,
        { where: file },
      );
    const data = toVectors(image.data);
    for (let i = 0, pixel = 0; i < data.length; i += 3, pixel++)
      if (!NORMALS_VALID.has(context.data[pixel])) data[i] = data[i + 1] = data[i + 2] = 0;
    return { ...image, data };
  }

  /** Checks that the images and the labels of `tasks` exist: see `verifyFiles`. */
  verify(tasks: readonly string[], report: ReportProgress) {
    const needed = ['image', ...tasks, ...(tasks.includes('normals') ? ['context'] : [])];
    return verifyFiles(this, new Set(needed), report);
  }

  /**
   * The ids that count for these tasks: if human parts are the only one, as in the original loader, those that
   * show a person.
   */
  override idsFor(
    split: Split,
    tasks: readonly string[],
    report: ReportProgress,
  ): Promise<readonly string[]> {
    return onlyParts(tasks) ? this.#idsWithPeople(split, report) : this.ids(split);
  }

  /** The ids of a split that show a person, from the benchmark's list or, if it does not fit, from the annotations. */
  async #idsWithPeople(split: Split, report: ReportProgress): Promise<readonly string[]> {
    const ids = await this.ids(split);
    const listed = await readPartsList(join(this.root, partsFile(split)), ids);
    if (listed) return ids.filter((id) => listed[id].includes(PERSON));
    const kept: string[] = [];
    for (const [i, id] of ids.entries()) {
      if (showsPerson(await readAnnotation(await locate(this, 'human_parts', id)))) kept.push(id);
      if ((i + 1) % 50 === 0 || i + 1 === ids.length) report(i + 1, ids.length, 'looking for people');
    }
    return kept;
  }
}

/** Whether images without people do not count. */
export const onlyParts = (tasks: readonly string[]): boolean => tasks.join() === 'human_parts';

async function readClasses(file: string): Promise<MapData> {
  const map = await readLabelPng(file);
  const known = VOC_CLASSES.length;
  checkValues(map, (value) => value < known || value === IGNORE, {
    file,
    hint: `labels are 0 to ${known - 1}, or 255 (unknown)`,
  });
  return map;
}

async function readSaliency(file: string): Promise<MapData> {
  return toBytes(await readLabelPng(file), (value) => Number(value > 127));
}

/** Where the Laplacian of PASCAL-Context's labels is not 0, thinned, as the loaders of AST and later work have it. */
async function readEdges(file: string): Promise<MapData> {
  const { data, height, width } = await readContext(file);
  const edges = thin(laplacianEdges(data, height, width), height, width);
  return { height, width, channels: 1, data: edges };
}

/** [height, width, 1] numbers of PASCAL-Context's 459 classes, 0 unknown. */
export async function readContext(file: string): Promise<MapData> {
  const { LabelMap } = await readMat(file, 'LabelMap');
  if (LabelMap?.kind !== 'numbers' || LabelMap.shape.length !== 2)
    throw new MtcpError('data', 'has no matrix "LabelMap"', { where: file });
  const map = rowMajor(LabelMap);
  checkValues(map, (value) => value >= 0 && value <= 459, {
    file,
    hint: 'PASCAL-Context has classes 1 to 459',
  });
  return map;
}

/** The list, if there is one and it is about these ids. */
async function readPartsList(
  file: string,
  ids: readonly string[],
): Promise<Record<string, number[]> | undefined> {
  try {
    const list = JSON.parse((await readBytes(file)).toString('utf8')) as Record<string, number[]>;
    return Object.keys(list).length === ids.length && ids.every((id) => Array.isArray(list[id]))
      ? list
      : undefined;
  } catch {
    return undefined;
  }
}

/** What a new folder is filled with. */
export interface PascalSample {
  id: string;
  height: number;
  width: number;
  /** [H,W,3] bytes. */
  image: Uint8Array;
  /** 0..20, 255 unknown. */
  semseg: Uint8Array;
  /** Whether `semseg` counts as one of VOC's own maps. */
  voc: boolean;
  objects: readonly ObjectMasks[];
  /** 0 or 1. */
  saliency: Uint8Array;
  /** [H,W,3] unit vectors. */
  normals: Float32Array;
  /** PASCAL-Context classes. */
  context: Uint16Array;
}

/** The folders of the layout, relative to its root. */
export const PASCAL_FOLDERS: readonly string[] = [
  'JPEGImages',
  'semseg/VOC12',
  'semseg/pascal-context',
  'human_parts',
  'sal_distill',
  'normals_distill',
  'pascal-context/trainval',
  'ImageSets/Context',
  'ImageSets/Parts',
];

/** Writes the files of a sample into a folder that is not in use yet. */
export async function writePascalSample(root: string, sample: PascalSample): Promise<void> {
  const { id, height, width, semseg, objects } = sample;
  const file = (kind: string, choice = 0) => join(root, FILES[kind](id)[choice]);
  const bytes = Uint8Array.from(sample.normals, (v) => Math.round(((v + 1) / 2) * 255));
  const context = { kind: 'map', height, width, data: sample.context } as const;
  await Promise.all([
    writeFile(file('image'), await encodeJpeg(sample.image, height, width, 95)),
    writeFile(file('semseg', sample.voc ? 0 : 1), encodeLabelPng(semseg, height, width)),
    writeFile(file('human_parts'), encodeAnnotation(id, height, width, objects)),
    writeFile(
      file('saliency'),
      encodeLabelPng(
        sample.saliency.map((v) => 255 * v),
        height,
        width,
      ),
    ),
    writeFile(file('normals'), encodeRgbPng(bytes, height, width)),
    writeFile(file('context'), encodeMat({ LabelMap: context })),
  ]);
}

/** @param objects for each id of the split, in order, the classes of its objects */
export async function writePascalSplit(
  root: string,
  split: Split,
  objects: Readonly<Record<string, readonly number[]>>,
): Promise<void> {
  await writeFile(
    join(root, splitFile(split)),
    Object.keys(objects)
      .map((id) => `${id}\n`)
      .join(''),
  );
  await writeFile(join(root, partsFile(split)), JSON.stringify(objects));
}
