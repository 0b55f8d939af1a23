// Reads every file of a data folder once and reports all faults.
import { lstat, readdir, stat } from 'node:fs/promises';
import { extname, join, relative } from 'node:path';
import {
  kindOf,
  MtcpError,
  type LabelMap,
  type Sample,
  type Split,
  type Task,
} from '../../../registry/index.js';
import { JsonFormat } from '../../../registry/support/json-file.js';
import { locate, otherCase, readIds, SPLITS, type Layout, type ReportProgress } from './layout.js';
import { NYUD_CLASSES, NYUD_COUNTS, NYUD_TASKS, NyudFolder } from './nyud.js';
import { PASCAL_TASKS } from './pascal-classes.js';
import { PASCAL_COUNTS, PascalFolder } from './pascal.js';
import { changedFiles, readPrepared } from '../prepare/target.js';

export interface Problem {
  /** Relative to the folder. */
  file: string;
  message: string;
  /** What to do about it, where that is known. */
  hint?: string;
}

export interface CheckResult {
  layout: 'NYUD_MT' | 'PASCAL_MT';
  counts: Record<Split, number>;
  /** What training would stop at, or take for something else. */
  problems: Problem[];
  /** What may be meant so. */
  warnings: Problem[];
}

interface Subject {
  name: CheckResult['layout'];
  folder: Layout & { load(id: string, tasks: readonly string[]): Promise<Sample> };
  tasks: readonly Task[];
  benchmark: Record<Split, number>;
  /** The class of floors, where there is one: they tell how the axes of normals lie. */
  floor?: number;
}

/** Sum of the normals of floors, over all samples. */
interface Floors {
  sum: [number, number, number];
  pixels: number;
}

/** @throws MtcpError `data` if the folder is not one of a known layout */
export async function checkFolder(root: string, report: ReportProgress): Promise<CheckResult> {
  const subject = await subjectOf(root);
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const into =
    (list: Problem[]): Found =>
    (file, message, hint) =>
      void list.push({ file: relative(root, file), message, ...(hint !== undefined && { hint }) });
  const [found, warn] = [into(problems), into(warnings)];
  const splits = await readSplits(subject.folder, found);
  const counts = { train: splits.train.length, val: splits.val.length };
  checkCounts(subject, counts, found, warn);
  await checkNames(subject.folder, found);
  const kinds = await usedKinds(subject, splits);
  const ids = [...new Set([...splits.train, ...splits.val])];
  const floors: Floors = { sum: [0, 0, 0], pixels: 0 };
  for (const [i, id] of ids.entries()) {
    await checkSample(subject, id, kinds, floors, found);
    report(i + 1, ids.length, 'reading files');
  }
  checkFloors(floors, root, warn);
  const prepared = readPrepared(root);
  for (const file of prepared ? await changedFiles(root, prepared, report) : [])
    found(join(root, file), 'is not what it was when the folder was built');
  return { layout: subject.name, counts, problems, warnings };
}

async function subjectOf(root: string): Promise<Subject> {
  const has = async (name: string) => (await stat(join(root, name)).catch(() => undefined)) !== undefined;
  if (await has('gt_sets'))
    return {
      name: 'NYUD_MT',
      folder: new NyudFolder(root, 'error'),
      tasks: NYUD_TASKS,
      benchmark: NYUD_COUNTS,
      floor: NYUD_CLASSES.indexOf('floor'),
    };
  if (await has('ImageSets'))
    return {
      name: 'PASCAL_MT',
      folder: new PascalFolder(root, 'error'),
      tasks: PASCAL_TASKS,
      benchmark: PASCAL_COUNTS,
    };
  throw new MtcpError('data', 'is neither a NYUD_MT nor a PASCAL_MT', {
    where: root,
    hint: 'expected gt_sets/ or ImageSets/ in it; mtcp data prepare builds both from the official files',
  });
}

type Found = (file: string, message: string, hint?: string) => void;

/** Ids of both splits; lists that cannot be read or that repeat an id are problems. */
async function readSplits(folder: Layout, found: Found): Promise<Record<Split, readonly string[]>> {
  const splits: Record<Split, readonly string[]> = { train: [], val: [] };
  for (const split of SPLITS)
    try {
      splits[split] = await readIds(folder, split);
    } catch (error) {
      found(join(folder.root, folder.splitFile(split)), (error as Error).message, hintOf(error));
    }
  const train = new Set(splits.train);
  const both = splits.val.find((id) => train.has(id));
  if (both !== undefined)
    found(join(folder.root, folder.splitFile('val')), `lists "${both}", which is in the training split too`);
  return splits;
}

const hintOf = (error: unknown): string | undefined => (MtcpError.is(error) ? error.hint : undefined);

const MADE = new JsonFormat<{ options?: Record<Split, number> }>(
  'a manifest',
  {
    type: 'object',
    properties: {
      options: {
        type: 'object',
        required: ['train', 'val'],
        properties: { train: { type: 'integer' }, val: { type: 'integer' } },
      },
    },
  },
  { kind: 'data' },
);

/** A part of a benchmark may be meant; a set that was made with so many images has to have them. */
function checkCounts(
  { folder, benchmark }: Subject,
  counts: Record<Split, number>,
  found: Found,
  warn: Found,
): void {
  const manifest = join(folder.root, 'manifest.json');
  let made: Record<Split, number> | undefined;
  try {
    made = MADE.find(manifest)?.options;
  } catch (error) {
    found(manifest, (error as Error).message, hintOf(error));
  }
  for (const split of SPLITS) {
    const list = join(folder.root, folder.splitFile(split));
    if (counts[split] === (made ?? benchmark)[split]) continue;
    if (made) found(list, `lists ${counts[split]} images; the set was made with ${made[split]}`);
    else
      warn(
        list,
        `lists ${counts[split]} images; the benchmark has ${benchmark[split]}`,
        'tables say so; if a part of it is not meant, fetch the list again',
      );
  }
}

/** Files of one kind and id under two names, and names that differ in case only. */
async function checkNames({ root, files }: Layout, found: Found): Promise<void> {
  const folders = new Set(
    Object.values(files).flatMap((names) => names('id').map((name) => name.slice(0, name.lastIndexOf('/')))),
  );
  for (const folder of folders) {
    const seen = new Map<string, string>();
    for (const name of (await readdir(join(root, folder)).catch(() => [])).sort()) {
      const id = name.slice(0, name.length - extname(name).length).toLowerCase();
      const other = seen.get(id);
      if (other !== undefined) found(join(root, folder, name), `has the id of ${other}`);
      seen.set(id, name);
    }
  }
}

/** Kinds of labels that any sample has: a set without normals is not a broken one. */
async function usedKinds(
  { folder, tasks }: Subject,
  splits: Record<Split, readonly string[]>,
): Promise<string[]> {
  const ids = [...splits.train, ...splits.val];
  const used: string[] = [];
  for (const { name } of tasks)
    for (const id of ids)
      if (await stat(await locate(folder, name, id)).catch(() => undefined)) {
        used.push(name);
        break;
      }
  return used;
}

async function checkSample(
  { folder, floor }: Subject,
  id: string,
  kinds: readonly string[],
  floors: Floors,
  found: Found,
): Promise<void> {
  const readable: string[] = [];
  for (const kind of ['image', ...kinds]) {
    const file = (await brokenLink(folder, kind, id)) ?? (await locate(folder, kind, id));
    const problem = await linkProblem(file);
    if (problem) found(file, problem, otherCase(file));
    else if (kind !== 'image') readable.push(kind);
    // Without the image there is nothing to compare labels with.
    if (problem && kind === 'image') return;
  }
  const read = async (names: readonly string[]) => {
    const { labels } = await folder.load(id, names);
    for (const name of names) {
      const wrong = valueProblem(labels[name]);
      if (wrong) found(await locate(folder, name, id), wrong);
    }
    if (floor !== undefined && labels.semseg && labels.normals) addFloors(labels, floor, floors);
  };
  try {
    await read(readable);
  } catch {
    // One by one, so that every file that cannot be read is named.
    for (const names of [[], ...readable.map((name) => [name])])
      try {
        await read(names);
      } catch (error) {
        if (!MtcpError.is(error)) throw error;
        found(error.where ?? id, error.message, error.hint);
        if (names.length === 0) return;
      }
  }
}

/** The first name of the file that is a link to nothing, if none before it is there. */
async function brokenLink(folder: Layout, kind: string, id: string): Promise<string | undefined> {
  for (const name of folder.files[kind](id)) {
    const file = join(folder.root, name);
    if (await stat(file).catch(() => undefined)) return undefined;
    if (await lstat(file).catch(() => undefined)) return file;
  }
  return undefined;
}

/** Missing; a link is as good as a file, as long as it leads to one. */
async function linkProblem(file: string): Promise<string | undefined> {
  const info = await lstat(file).catch(() => undefined);
  if (!info) return 'file not found';
  const target = await stat(file).catch(() => undefined);
  return target === undefined ? 'is a link to a file that does not exist' : undefined;
}

function addFloors({ semseg, normals }: Record<string, LabelMap>, floor: number, floors: Floors): void {
  for (let i = 0; i < semseg.data.length; i++) {
    if (semseg.data[i] !== floor) continue;
    floors.pixels++;
    for (const axis of [0, 1, 2]) floors.sum[axis] += normals.data[3 * i + axis];
  }
}

/** Pixels of floors that say nothing yet. */
const FEW = 300;

/** A floor points up, which is against the axis that points down. */
function checkFloors({ sum, pixels }: Floors, root: string, warn: Found): void {
  const length = Math.hypot(...sum);
  // Of unknown normals, or of floors that point everywhere, nothing follows.
  if (pixels < FEW || length < pixels / 4) return;
  const mean = sum.map((value) => value / length);
  if (mean[1] < -0.5) return;
  const rounded = mean.map((value) => Number(value.toFixed(2))).join(', ');
  warn(
    join(root, 'normals'),
    `floors point ${mean[1] > 0.5 ? 'down' : 'sideways'}, to (${rounded}) on average`,
    'pictures and predictions take normals with x to the right, y down and z forward, where a floor points to (0, -1, 0); with other axes the numbers are comparable only with models of the same axes',
  );
}

/** Values that would be taken for unknown without a word, or that mean nothing, and where the first one is. */
function valueProblem(label: LabelMap): string | undefined {
  const fault = kindOf(label).fault?.(label);
  if (!fault) return undefined;
  const pixel = Math.floor(fault.at / label.channels);
  return `at row ${Math.floor(pixel / label.width)}, column ${pixel % label.width}: ${fault.what}`;
}
