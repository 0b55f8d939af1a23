// What the layouts of data folders share: lists of ids, and for each id one file of each kind, under one of several
// names (an image may be a JPEG or a PNG). Ids are opaque.
import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { basename, dirname, join } from 'node:path';
import { MtcpError, type MapData, type Split } from '../../../registry/index.js';
import { resize, type Interpolation } from '../../support/warp.js';
import { unexpanded } from '../../../registry/support/plain-file.js';
import { readBytes } from '../formats/file.js';
import { contentsOf, remember } from './contents.js';

export const SPLITS: readonly Split[] = ['train', 'val'];

/** What to do with a label map whose size is not the image's. */
export type SizeMismatch = 'error' | 'resize';

export type ReportProgress = (done: number, total: number, what: string) => void;

export interface Layout {
  readonly root: string;
  /** What the folder is expected to hold, for the error if it is not there. */
  readonly contents: string;
  /** Relative path of the list of ids. */
  splitFile(split: Split): string;
  /** Where the file of a kind may lie, relative to the root; the first that exists counts. */
  readonly files: Readonly<Record<string, (id: string) => readonly string[]>>;
  /** Kinds that are part of the identity of the data only for trials that need them. */
  readonly optional?: ReadonlySet<string>;
  /** Further files that say which samples count. */
  readonly others?: readonly string[];
}

/** @throws MtcpError `data` if the list names an id twice, or one that leads out of the folder */
export async function readIds(layout: Layout, split: Split): Promise<readonly string[]> {
  const file = join(layout.root, layout.splitFile(split));
  const lines = (await readBytes(file)).toString('utf8').split(/\r?\n/);
  const ids = lines.map((line) => line.trim()).filter((line) => line !== '');
  const seen = new Set<string>();
  for (const id of ids) {
    if (seen.has(id)) throw new MtcpError('data', `lists "${id}" twice`, { where: file });
    if (!isInside(id))
      throw new MtcpError('data', `lists ${JSON.stringify(id)}, which leads out of the folder`, {
        where: file,
        hint: 'an id is a part of file names below the folder, such as 2008_000001',
      });
    seen.add(id);
  }
  return ids;
}

/** Ids may have folders in them, but none above. */
const isInside = (id: string): boolean =>
  // oxlint-disable-next-line no-control-regex
  !/^[/\\]|[\u0000-\u001f]|^[A-Za-z]:/.test(id) && !id.split(/[/\\]/).includes('..');

/** The absolute path of a file that exists, or of the first name it could have. */
export async function locate(layout: Layout, kind: string, id: string): Promise<string> {
  const [names, found] = await find(layout, kind, id);
  return join(layout.root, found?.name ?? names[0]);
}

async function find(layout: Layout, kind: string, id: string) {
  const names = layout.files[kind](id);
  for (const name of names) {
    const size = await sizeOf(join(layout.root, name));
    if (size !== undefined) return [names, { name, size }] as const;
  }
  return [names, undefined] as const;
}

/** What a folder holds. */
export interface Verified {
  counts: Record<Split, number>;
  /** Another one whenever a split, or the content of one of its files, is another. */
  digest: string;
  /** What a person should know: files that changed since the last look, and the like. */
  warnings: string[];
}

/** What to do about a file that is there under a name with other capitals; undefined if it is not. */
export function otherCase(file: string): string | undefined {
  const wanted = basename(file);
  let names: string[];
  try {
    names = readdirSync(dirname(file));
  } catch {
    return undefined;
  }
  const near = names.find((name) => name !== wanted && name.toLowerCase() === wanted.toLowerCase());
  return near && `there is ${near}, and capitals count: rename it to ${wanted}`;
}

function exists(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

/** Ids looked at before others get a turn. */
const AT_ONCE = 200;

/**
 * Checks that the files of the `needed` kinds exist for every id, and identifies them by their content.
 * @throws MtcpError `data` if files are missing
 */
export async function verifyFiles(
  layout: Layout,
  needed: ReadonlySet<string>,
  report: ReportProgress,
): Promise<Verified> {
  await checkRoot(layout);
  const splits = await Promise.all(SPLITS.map((split) => readIds(layout, split)));
  const counts = { train: splits[0].length, val: splits[1].length };
  const total = counts.train + counts.val;
  const kinds = Object.entries(layout.files).filter(
    ([kind]) => needed.has(kind) || !layout.optional?.has(kind),
  );
  const missing: string[] = [];
  const found: (string | undefined)[] = [];
  let done = 0;
  for (const id of splits.flat()) {
    for (const [kind, namesOf] of kinds) {
      const names = namesOf(id);
      const name = names.find((each) => exists(join(layout.root, each)));
      if (name === undefined && needed.has(kind)) missing.push(join(layout.root, names[0]));
      found.push(name);
    }
    if (++done % AT_ONCE !== 0 && done !== total) continue;
    report(done, total, 'checking files');
    await setImmediate();
  }
  if (missing.length > 0)
    throw new MtcpError(
      'data',
      `${missing.length} of the files that the splits list are missing: ${missing.slice(0, 3).join(', ')}${missing.length > 3 ? ', ...' : ''}`,
      {
        where: layout.root,
        hint: otherCase(missing[0]) ?? 'the copy is not complete; fetch the data set again or correct "root"',
      },
    );
  const others = (layout.others ?? []).filter((name) => exists(join(layout.root, name)));
  const there = [...found, ...others].filter((name) => name !== undefined);
  const { hashes, warnings } = await contentsOf(layout.root, [...new Set(there)], report);
  const hash = createHash('sha256');
  let at = 0;
  for (const [i, ids] of splits.entries()) {
    hash.update(`${SPLITS[i]}\n`);
    for (const id of ids) {
      const own = found.slice(at, (at += kinds.length));
      hash.update(`${id} ${own.map((name) => (name === undefined ? '-' : hashes.get(name))).join(' ')}\n`);
    }
  }
  for (const name of others) hash.update(`${name} ${hashes.get(name)}\n`);
  const digest = hash.digest('hex').slice(0, 16);
  remember(digest, hashes);
  return { counts, digest, warnings };
}

/** What tables must say if a split is not the benchmark's. */
export function countNotes(counts: Record<Split, number>, benchmark: Record<Split, number>): string[] {
  return SPLITS.filter((split) => counts[split] !== benchmark[split]).map(
    (split) => `${counts[split]} images in ${split}; the benchmark has ${benchmark[split]}`,
  );
}

async function checkRoot({ root, contents }: Layout): Promise<void> {
  const folder = await stat(root).catch(() => undefined);
  if (!folder?.isDirectory())
    throw new MtcpError('data', 'the folder of the data set does not exist', {
      where: root,
      hint: unexpanded(root) ?? `set the data set's "root" to the folder that holds ${contents}`,
    });
}

async function sizeOf(file: string): Promise<number | undefined> {
  return (await stat(file).catch(() => undefined))?.size;
}

/** The label map at the image's size, or an error if it has another one and must not be resized. */
export function fitToImage(
  map: MapData,
  image: MapData,
  mismatch: SizeMismatch,
  { task, file, interpolation }: { task: string; file: string; interpolation: Interpolation },
): MapData {
  if (map.height === image.height && map.width === image.width) return map;
  if (mismatch === 'resize') return resize(map, image.height, image.width, interpolation);
  const sizes = `${map.height}x${map.width}, but the image is ${image.height}x${image.width}`;
  throw new MtcpError('data', `the ${task} labels are ${sizes}`, {
    where: file,
    hint: 'labels and image must match; "size_mismatch: resize" fits the labels to the image',
  });
}
