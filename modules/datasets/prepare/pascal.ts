// Builds PASCAL_MT from VOC2010 (images and split), VOC2012 (its class maps, where available), PASCAL-Context and
// PASCAL-Part. Saliency and normals were predicted by other networks and exist only in the released archive; they are
// taken from it if it is available.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MtcpError, type Split } from '../../../registry/index.js';
import { readBytes } from '../formats/file.js';
import { encodeLabelPng, readLabelPng } from '../formats/png.js';
import { SPLITS, type ReportProgress } from '../folders/layout.js';
import { CONTEXT_OF_VOC } from '../folders/pascal-classes.js';
import { readContext } from '../folders/pascal.js';
import { readAnnotation } from '../folders/pascal-parts.js';
import { requireUnchanged } from './nyud.js';
import { digestOf, PreparedFolder, type PreparedManifest } from './target.js';

export interface PascalSources {
  /** VOC2010, with JPEGImages/ and ImageSets/Main/. */
  voc: string;
  /** PASCAL-Context's folder of <id>.mat. */
  context: string;
  /** PASCAL-Part's folder of <id>.mat. */
  parts: string;
  /** VOC2012, whose SegmentationClass/ is preferred; VOC2010's own otherwise. */
  voc12?: string;
  /** A PASCAL_MT with sal_distill/ and normals_distill/. */
  distilled?: string;
}

const DISTILLED = { saliency: 'sal_distill', normals: 'normals_distill' };

export async function preparePascal(
  directory: string,
  sources: PascalSources,
  report: ReportProgress,
): Promise<PreparedManifest> {
  const splits = Object.fromEntries(
    await Promise.all(SPLITS.map(async (split) => [split, await readSplit(sources.voc, split)])),
  ) as Record<Split, string[]>;
  const distilled = await distilledOf(sources.distilled);
  const { folder, done } = await PreparedFolder.open(directory, 'pascal-context', {
    train: await digestOf(splitPath(sources.voc, 'train')),
    val: await digestOf(splitPath(sources.voc, 'val')),
    classMaps: sources.voc12 ? 'VOC2012' : 'VOC2010',
    distilled: distilled.join('+') || 'none',
  });
  if (done) return requireUnchanged(folder.root, done, report);
  const total = splits.train.length + splits.val.length;
  let count = 0;
  for (const split of SPLITS) {
    const objects: Record<string, number[]> = {};
    for (const id of splits[split]) {
      objects[id] = await addSample(folder, sources, id, distilled);
      report(++count, total, 'writing images and labels');
    }
    await folder.add(`ImageSets/Context/${split}.txt`, () => splits[split].map((id) => `${id}\n`).join(''));
    await folder.add(`ImageSets/Parts/${split}.txt`, () => JSON.stringify(objects));
  }
  const missing = Object.entries(DISTILLED).filter(([, name]) => !distilled.includes(name));
  const notes = missing.map(
    ([task]) => `no ${task}: distilled from another network, only in the released archive`,
  );
  return folder.finish(notes, report);
}

const splitPath = (voc: string, split: Split): string => join(voc, 'ImageSets/Main', `${split}.txt`);

/** The benchmark's splits are those of VOC2010: 4998 and 5105 images. */
async function readSplit(voc: string, split: Split): Promise<string[]> {
  const text = (await readBytes(splitPath(voc, split))).toString('utf8');
  return text
    .split(/\r?\n/)
    .map((line) => line.trim().split(/\s+/)[0])
    .filter((id) => id !== '');
}

async function distilledOf(archive: string | undefined): Promise<string[]> {
  if (archive === undefined) return [];
  const names = Object.values(DISTILLED);
  const found = await Promise.all(names.map((name) => stat(join(archive, name)).catch(() => undefined)));
  const there = names.filter((_, i) => found[i]?.isDirectory());
  if (there.length === 0)
    throw new MtcpError('data', `has neither ${names.join('/ nor ')}/`, {
      where: archive,
      hint: '--distilled names an unpacked PASCAL_MT',
    });
  return there;
}

/** @returns the class of each object, -1 for those without a pixel */
async function addSample(
  folder: PreparedFolder,
  sources: PascalSources,
  id: string,
  distilled: readonly string[],
): Promise<number[]> {
  const contextFile = join(sources.context, `${id}.mat`);
  const partsFile = join(sources.parts, `${id}.mat`);
  await folder.add(`JPEGImages/${id}.jpg`, () => readBytes(join(sources.voc, 'JPEGImages', `${id}.jpg`)));
  const classMap = join(sources.voc12 ?? sources.voc, 'SegmentationClass', `${id}.png`);
  if (await stat(classMap).catch(() => undefined))
    await folder.add(`semseg/VOC12/${id}.png`, async () => {
      await readLabelPng(classMap);
      return readBytes(classMap);
    });
  await folder.add(`semseg/pascal-context/${id}.png`, async () => {
    const { data, height, width } = await readContext(contextFile);
    return encodeLabelPng(Uint8Array.from(data, vocOfContext), height, width);
  });
  await folder.add(`pascal-context/trainval/${id}.mat`, () => readBytes(contextFile));
  await folder.add(`human_parts/${id}.mat`, () => readBytes(partsFile));
  for (const name of distilled)
    await folder.add(`${name}/${id}.png`, () => readBytes(join(sources.distilled!, name, `${id}.png`)));
  const { objects } = await readAnnotation(partsFile);
  return objects.map(({ index, mask }) => (mask.data.some(Boolean) ? index : -1));
}

/** Everything that is none of the VOC's classes is background. */
function vocOfContext(number: number): number {
  const index = CONTEXT_OF_VOC.indexOf(number, 1);
  return Math.max(0, index);
}
