// Makes a data set of rendered rooms in the NYUD_MT layout. It grows in a folder of its own that gets its name
// when it is whole, so a folder with a manifest is finished, and of two processes that make the same set at
// once, the later one keeps the earlier one's.
import { mkdir, mkdtemp, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises';
import { availableParallelism, hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import type { Split } from '../../registry/contracts/data.js';
import { MtcpError } from '../../registry/errors.js';
import { writeAtomically } from '../datasets/formats/file.js';
import { NYUD_FOLDERS, NyudFolder, SPLITS, writeNyudSplit } from '../datasets/nyud-folder.js';
import { ThreadPool } from '../datasets/threads.js';
import type { Intrinsics } from './camera.js';
import type { SceneJob } from './worker.js';

/** Goes up whenever the same options give other files. */
export const ROOMS_VERSION = 1;

export interface RoomsOptions {
  /** Scenes in each split; they come from streams of their own. */
  train: number;
  val: number;
  /** Height and width of the images. */
  size: readonly [number, number];
  seed: number;
}

/** `manifest.json` in the folder of a finished data set. */
export interface RoomsManifest {
  version: number;
  options: RoomsOptions;
  /** NyudFolder's digest: ids and sizes of the files. */
  digest: string;
  /** The camera of each scene, by id. */
  cameras: Record<string, Intrinsics>;
}

export type Report = (done: number, total: number, what: string) => void;

const quiet: Report = () => undefined;
const MANIFEST = 'manifest.json';

/**
 * Makes sure that `directory` holds the data set of these options: makes it if the folder is absent or empty,
 * keeps it if it is the same finished one, and refuses to touch anything else.
 */
export async function generateRooms(
  directory: string,
  options: RoomsOptions,
  report: Report = quiet,
  threads = availableParallelism(),
): Promise<RoomsManifest> {
  const target = resolve(directory);
  if (!(await isEmpty(target))) return requireSame(target, options);
  await removeAbandoned(target);
  await mkdir(dirname(target), { recursive: true });
  const partial = await mkdtemp(`${partialPrefix(target)}${process.pid}-`);
  try {
    const manifest = await fill(partial, options, report, threads);
    return await publish(partial, target, manifest);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function fill(
  directory: string,
  options: RoomsOptions,
  report: Report,
  threads: number,
): Promise<RoomsManifest> {
  for (const folder of NYUD_FOLDERS) await mkdir(join(directory, folder));
  const jobs = SPLITS.flatMap((split) => sceneJobs(directory, options, split));
  for (const split of SPLITS) {
    const ids = jobs.filter((job) => job.split === split).map((job) => job.id);
    await writeNyudSplit(directory, split, ids);
  }
  const pool = new ThreadPool<SceneJob, Intrinsics>(
    new URL('./worker.js', import.meta.url),
    Math.min(threads, jobs.length),
  );
  let done = 0;
  try {
    const cameras = await Promise.all(
      jobs.map(async (job) => {
        const camera = await pool.run(job);
        report(++done, jobs.length, 'rendering rooms');
        return [job.id, camera] as const;
      }),
    );
    const { digest } = await new NyudFolder(directory, 'error').verify([], quiet);
    const manifest = { version: ROOMS_VERSION, options, digest, cameras: Object.fromEntries(cameras) };
    await writeAtomically(join(directory, MANIFEST), `${JSON.stringify(manifest, undefined, 1)}\n`);
    return manifest;
  } finally {
    await pool.close();
  }
}

function sceneJobs(directory: string, { seed, size, ...counts }: RoomsOptions, split: Split): SceneJob[] {
  return Array.from({ length: counts[split] }, (_, index) => {
    const id = `${split}-${String(index + 1).padStart(4, '0')}`;
    return { directory, id, seed, split, index, size };
  });
}

async function publish(partial: string, target: string, manifest: RoomsManifest): Promise<RoomsManifest> {
  try {
    await rmdir(target).catch(() => undefined);
    await rename(partial, target);
    return manifest;
  } catch (error) {
    // Somebody else was faster.
    if (!(await isEmpty(target))) return requireSame(target, manifest.options);
    throw error;
  }
}

/** The manifest of the finished data set in this folder, if it is that of these options. */
async function requireSame(directory: string, options: RoomsOptions): Promise<RoomsManifest> {
  const fail = (problem: string): never => {
    throw new MtcpError('usage', problem, {
      where: directory,
      hint: 'name another folder, or delete this one if you do not need it',
    });
  };
  const text = await readFile(join(directory, MANIFEST), 'utf8').catch(() => undefined);
  if (text === undefined) return fail('is not empty and does not hold a finished set of rooms');
  const manifest = parseManifest(text) ?? fail('has a manifest that cannot be read');
  const { version, digest } = manifest;
  if (version !== ROOMS_VERSION || keyOf(manifest.options) !== keyOf(options))
    return fail('holds rooms that were made with other options');
  const found = await new NyudFolder(directory, 'error').verify([], quiet);
  return found.digest === digest
    ? manifest
    : fail('holds rooms whose files have changed since they were made');
}

/** Differs for options that give different files. */
export function keyOf({ train, val, size, seed }: RoomsOptions): string {
  return JSON.stringify([ROOMS_VERSION, train, val, ...size, seed]);
}

function parseManifest(text: string): RoomsManifest | undefined {
  try {
    const manifest = JSON.parse(text) as RoomsManifest;
    return Array.isArray(manifest.options?.size) ? manifest : undefined;
  } catch {
    return undefined;
  }
}

async function isEmpty(directory: string): Promise<boolean> {
  try {
    return (await readdir(directory)).length === 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw new MtcpError('usage', 'is not a folder that can be read', { where: directory, cause: error });
  }
}

/** Folders under construction: the target's name, this machine, then the process. */
function partialPrefix(target: string): string {
  return `${target}.partial-${hostname()}-`;
}

/** Deletes what processes of this machine that have since died left half done. */
async function removeAbandoned(target: string): Promise<void> {
  const prefix = basename(partialPrefix(target));
  const siblings = await readdir(dirname(target)).catch(() => []);
  for (const name of siblings.filter((sibling) => sibling.startsWith(prefix))) {
    const pid = Number.parseInt(name.slice(prefix.length), 10);
    if (!isAlive(pid)) await rm(join(dirname(target), name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
