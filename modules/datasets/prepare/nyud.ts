// Builds NYUD_MT from the files that its authors distribute: the labelled set (HDF5, 2.8 GB, read an image at a
// time), the split, and the mapping of 894 classes to 40. Depth is the in-painted one, in metres. None of these files
// has normals or edges: normals come from a folder or are derived from depth, which is stated wherever they are used, and
// edges come from the folder of a NYUD_MT.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MtcpError } from '../../../registry/index.js';
import { readBytes } from '../formats/file.js';
import { Hdf5File } from '../formats/hdf5.js';
import { readMat, type MatNumbers } from '../formats/mat.js';
import { encodeNpy } from '../formats/npy.js';
import { encodeLabelPng, encodeRgbPng } from '../formats/png.js';
import type { ReportProgress } from '../folders/layout.js';
import { readEdges } from '../folders/nyud.js';
import { normalsFromDepth } from './normals.js';
import { changedFiles, digestOf, PreparedFolder, type PreparedManifest } from './target.js';

export interface NyudSources {
  /** nyu_depth_v2_labeled.mat */
  labeled: string;
  /** splits.mat */
  splits: string;
  /** classMapping40.mat */
  classes: string;
  /** A folder with <id>.npy or <id>.png, `derive` from depth, or none. */
  normals?: string;
  /** The edge/ of a NYUD_MT, with <id>.npy or <id>.png, or none. */
  edges?: string;
}

/** Classes of the labelled set. */
const SOURCE_CLASSES = 894;

export async function prepareNyud(
  directory: string,
  sources: NyudSources,
  report: ReportProgress,
): Promise<PreparedManifest> {
  const mapping = await readClassMapping(sources.classes);
  const file = await Hdf5File.open(sources.labeled);
  try {
    const [count] = checkShapes(file);
    const splits = await readSplits(sources.splits, count);
    report(0, 1, 'computing the digest of the source');
    const { folder, done } = await PreparedFolder.open(directory, 'nyud-v2', {
      labeled: await digestOf(sources.labeled),
      splits: await digestOf(sources.splits),
      classes: await digestOf(sources.classes),
      normals: sources.normals === 'derive' ? 'derived' : sources.normals ? 'given' : 'none',
      // Left out where there are none, as in folders that were built before there were edges.
      ...(sources.edges !== undefined && { edges: 'given' }),
    });
    if (done) return requireUnchanged(folder.root, done, report);
    for (let i = 0; i < count; i++) {
      await addSample(folder, file, i, mapping, sources);
      report(i + 1, count, 'writing images and labels');
    }
    for (const [split, numbers] of Object.entries(splits))
      await folder.add(`gt_sets/${split}.txt`, () =>
        numbers.map((number) => `${idOf(number - 1)}\n`).join(''),
      );
    return await folder.finish(notesOf(sources), report);
  } finally {
    file.close();
  }
}

/** A finished folder is left alone; if its files have changed, that is reported. */
export async function requireUnchanged(
  root: string,
  manifest: PreparedManifest,
  report: ReportProgress,
): Promise<PreparedManifest> {
  const changed = await changedFiles(root, manifest, report);
  if (changed.length > 0)
    throw new MtcpError(
      'data',
      `${changed.length} files are not what they were when the folder was built: ${changed.slice(0, 3).join(', ')}`,
      { where: root, hint: 'delete the folder and build it again' },
    );
  return manifest;
}

const idOf = (index: number): string => String(index + 1).padStart(4, '0');

function notesOf({ normals, edges }: NyudSources): string[] {
  return [
    ...(normals === undefined ? ['no normals: the official files have none'] : []),
    ...(normals === 'derive'
      ? ['normals derived from depth: mErr is not comparable with published numbers']
      : []),
    ...(edges === undefined ? ['no edges: the official files have none'] : []),
  ];
}

/** @returns number, height and width of the images */
function checkShapes(file: Hdf5File): [number, number, number] {
  const [count, channels, width, height] = file.shapeOf('images');
  const expected = JSON.stringify([count, width, height]);
  for (const name of ['depths', 'labels'])
    if (JSON.stringify(file.shapeOf(name)) !== expected || channels !== 3)
      throw new MtcpError(
        'data',
        `"images" is [${file.shapeOf('images').join(', ')}] and "${name}" [${file.shapeOf(name).join(', ')}]`,
        { where: file.path, hint: 'expected [n, 3, width, height] and [n, width, height]' },
      );
  return [count, height, width];
}

async function addSample(
  folder: PreparedFolder,
  file: Hdf5File,
  index: number,
  mapping: Uint8Array,
  { normals, edges }: NyudSources,
): Promise<void> {
  const id = idOf(index);
  const [, , width, height] = file.shapeOf('images');
  const depth = () => {
    const values = file.slice<Float32Array | Float64Array>('depths', index, [Float32Array, Float64Array]);
    return transposed(Float32Array.from(values), height, width, 1);
  };
  await folder.add(`images/${id}.png`, () =>
    encodeRgbPng(transposed(file.slice('images', index, [Uint8Array]), height, width, 3), height, width),
  );
  await folder.add(`segmentation/${id}.png`, () => {
    const values = file.slice<Uint8Array | Uint16Array>('labels', index, [Uint16Array, Uint8Array]);
    const labels = transposed(Uint16Array.from(values), height, width, 1);
    return encodeLabelPng(
      Uint8Array.from(labels, (label) => mapLabel(label, mapping, id, file.path)),
      height,
      width,
    );
  });
  await folder.add(`depth/${id}.npy`, () => encodeNpy(depth(), [height, width]));
  if (normals === 'derive')
    await folder.add(`normals/${id}.npy`, () =>
      encodeNpy(normalsFromDepth({ height, width, channels: 1, data: depth() }), [height, width, 3]),
    );
  else if (normals !== undefined) {
    const name = await givenFile(normals, id, 'normals', '"derive" makes them from depth');
    await folder.add(`normals/${name}`, () => readBytes(join(normals, name)));
  }
  if (edges === undefined) return;
  const name = await givenFile(edges, id, 'edges', 'name the folder edge of a NYUD_MT');
  await folder.add(`edge/${name}`, async () => {
    const path = join(edges, name);
    const map = await readEdges(path);
    if (map.height !== height || map.width !== width)
      throw new MtcpError('data', `is ${map.height}x${map.width}, but the image is ${height}x${width}`, {
        where: path,
        hint: 'edges of another release belong to images of another size',
      });
    return readBytes(path);
  });
}

function mapLabel(label: number, mapping: Uint8Array, id: string, where: string): number {
  if (label > SOURCE_CLASSES)
    throw new MtcpError('data', `image ${id} has label ${label}; there are ${SOURCE_CLASSES} classes`, {
      where,
    });
  return label === 0 ? 0 : mapping[label - 1];
}

const listings = new Map<string, Promise<Set<string>>>();

/** The file of an image in a folder of labels. */
async function givenFile(folder: string, id: string, what: string, hint: string): Promise<string> {
  if (!listings.has(folder)) listings.set(folder, listed(folder, what, hint));
  const names = await listings.get(folder)!;
  const name = [`${id}.npy`, `${id}.png`].find((candidate) => names.has(candidate));
  if (name) return name;
  throw new MtcpError('data', `has no ${what} of image ${id}`, {
    where: folder,
    hint: `expected ${id}.npy or ${id}.png; ${hint}`,
  });
}

async function listed(folder: string, what: string, hint: string): Promise<Set<string>> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new MtcpError('data', `is not a folder of ${what}`, { where: folder, hint, cause });
  });
  return new Set(names);
}

/** From [channels, width, height] to [height, width, channels]. */
function transposed<T extends Uint8Array | Uint16Array | Float32Array>(
  data: T,
  height: number,
  width: number,
  channels: number,
): T {
  const out = data.slice() as T;
  for (let k = 0, from = 0; k < channels; k++)
    for (let x = 0; x < width; x++)
      for (let y = 0; y < height; y++, from++) out[(y * width + x) * channels + k] = data[from];
  return out;
}

async function readClassMapping(file: string): Promise<Uint8Array> {
  const { mapClass } = await readMat(file, 'mapClass');
  const values = mapClass?.kind === 'numbers' ? Uint8Array.from(mapClass.data as Uint8Array) : undefined;
  if (values?.length !== SOURCE_CLASSES || values.some((value) => value < 1 || value > 40))
    throw new MtcpError('data', `has no "mapClass" of ${SOURCE_CLASSES} numbers from 1 to 40`, {
      where: file,
      hint: 'expected classMapping40.mat of Gupta et al.',
    });
  return values;
}

/** Numbers count from 1, as in MATLAB. */
async function readSplits(file: string, count: number): Promise<{ train: number[]; val: number[] }> {
  const { trainNdxs, testNdxs } = await readMat(file);
  const numbers = (value: unknown, name: string): number[] => {
    const list = (value as MatNumbers | undefined)?.data;
    if (!list || list.length === 0)
      throw new MtcpError('data', `has no list "${name}"`, { where: file, hint: 'expected splits.mat' });
    return Array.from(list, Number);
  };
  const splits = { train: numbers(trainNdxs, 'trainNdxs'), val: numbers(testNdxs, 'testNdxs') };
  const all = [...splits.train, ...splits.val];
  const wrong = all.find((number) => !(number >= 1 && number <= count));
  if (wrong !== undefined)
    throw new MtcpError('data', `names image ${wrong}, but there are ${count}`, { where: file });
  if (new Set(all).size < all.length)
    throw new MtcpError('data', 'names an image twice', {
      where: file,
      hint: 'train and test must not overlap',
    });
  return splits;
}
