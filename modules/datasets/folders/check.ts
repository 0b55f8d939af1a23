// Reads every file of a data folder once and says everything that is wrong with it.
import { lstat, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { MtcpError, type LabelMap, type Sample, type Split, type Task } from '../../../registry/index.js';
import { locate, readIds, SPLITS, type Layout, type Report } from './layout.js';
import { NYUD_COUNTS, NYUD_TASKS, NyudFolder } from './nyud.js';
import { PASCAL_TASKS } from './pascal-classes.js';
import { PASCAL_COUNTS, PascalFolder } from './pascal.js';
import { changedFiles, readPrepared } from '../prepare/target.js';

export interface Problem {
  /** Relative to the folder. */
  file: string;
  message: string;
}

export interface CheckResult {
  layout: 'NYUD_MT' | 'PASCAL_MT';
  counts: Record<Split, number>;
  problems: Problem[];
}

interface Subject {
  name: CheckResult['layout'];
  folder: Layout & { load(id: string, tasks: readonly string[]): Promise<Sample> };
  tasks: readonly Task[];
  benchmark: Record<Split, number>;
}

/** Vectors may be this much longer or shorter than 1: those in bytes are. */
const UNIT_TOLERANCE = 0.05;

/** @throws MtcpError `data` if the folder is not one of a known layout */
export async function checkFolder(root: string, report: Report): Promise<CheckResult> {
  const subject = await subjectOf(root);
  const problems: Problem[] = [];
  const found = (file: string, message: string) => problems.push({ file: relative(root, file), message });
  const splits = await readSplits(subject.folder, found);
  const counts = { train: splits.train.length, val: splits.val.length };
  await checkCounts(subject, counts, found);
  await checkNames(subject.folder, found);
  const kinds = await usedKinds(subject, splits);
  const ids = [...new Set([...splits.train, ...splits.val])];
  for (const [i, id] of ids.entries()) {
    await checkSample(subject, id, kinds, found);
    report(i + 1, ids.length, 'reading files');
  }
  const prepared = await readPrepared(root);
  for (const file of prepared ? await changedFiles(root, prepared, report) : [])
    found(join(root, file), 'is not what it was when the folder was built');
  return { layout: subject.name, counts, problems };
}

async function subjectOf(root: string): Promise<Subject> {
  const has = async (name: string) => (await stat(join(root, name)).catch(() => undefined)) !== undefined;
  if (await has('gt_sets'))
    return {
      name: 'NYUD_MT',
      folder: new NyudFolder(root, 'error'),
      tasks: NYUD_TASKS,
      benchmark: NYUD_COUNTS,
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

type Found = (file: string, message: string) => void;

/** Ids of both splits; lists that cannot be read or that repeat an id are problems. */
async function readSplits(folder: Layout, found: Found): Promise<Record<Split, readonly string[]>> {
  const splits: Record<Split, readonly string[]> = { train: [], val: [] };
  for (const split of SPLITS)
    try {
      splits[split] = await readIds(folder, split);
    } catch (error) {
      found(join(folder.root, folder.splitFile(split)), (error as Error).message);
    }
  const train = new Set(splits.train);
  const both = splits.val.find((id) => train.has(id));
  if (both !== undefined)
    found(join(folder.root, folder.splitFile('val')), `lists "${both}", which is in the training split too`);
  return splits;
}

async function checkCounts(
  { folder, benchmark }: Subject,
  counts: Record<Split, number>,
  found: Found,
): Promise<void> {
  const text = await readFile(join(folder.root, 'manifest.json'), 'utf8').catch(() => undefined);
  const made = text ? (JSON.parse(text) as { options?: Record<Split, number> }).options : undefined;
  for (const split of SPLITS) {
    const expected = (made ?? benchmark)[split];
    if (counts[split] === expected) continue;
    const whose = made ? 'was made with' : 'benchmark has';
    found(
      join(folder.root, folder.splitFile(split)),
      `lists ${counts[split]} images; the ${made ? 'set ' : ''}${whose} ${expected}`,
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
  { folder }: Subject,
  id: string,
  kinds: readonly string[],
  found: Found,
): Promise<void> {
  const readable: string[] = [];
  for (const kind of ['image', ...kinds]) {
    const file = await locate(folder, kind, id);
    const problem = await linkProblem(folder.root, file);
    if (problem) found(file, problem);
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
        found(error.where ?? id, error.message);
        if (names.length === 0) return;
      }
  }
}

/** Missing, or a link to somewhere else. */
async function linkProblem(root: string, file: string): Promise<string | undefined> {
  const info = await lstat(file).catch(() => undefined);
  if (!info) return 'file not found';
  const [base, target] = await Promise.all([realpath(root), realpath(file).catch(() => undefined)]);
  if (target === undefined) return 'is a link to a file that does not exist';
  return target.startsWith(base + sep) ? undefined : `is a link out of the folder, to ${target}`;
}

/** Values that would be taken for unknown without a word, or that mean nothing. */
function valueProblem({ kind, data, width, channels }: LabelMap): string | undefined {
  const place = (i: number) => {
    const pixel = Math.floor(i / channels);
    return `at row ${Math.floor(pixel / width)}, column ${pixel % width}`;
  };
  if (kind === 'depth') {
    const i = data.findIndex((metres: number) => !(metres >= 0 && metres < Infinity));
    return i < 0 ? undefined : `the depth ${place(i)} is ${data[i]}; depths are metres, 0 for unknown`;
  }
  if (kind !== 'normals') return undefined;
  for (let i = 0; i < data.length; i += 3) {
    const length = Math.sqrt(data[i] ** 2 + data[i + 1] ** 2 + data[i + 2] ** 2);
    if (length === 0 || Math.abs(length - 1) <= UNIT_TOLERANCE) continue;
    return `the normal ${place(i)} has length ${Number(length.toPrecision(4))}; normals have length 1, or 0 for unknown`;
  }
  return undefined;
}
