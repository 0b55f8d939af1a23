// Makes a data set of rendered pictures. It grows in a folder of its own that gets its name when it is whole, so
// a folder with a manifest is finished, and of two processes that make the same set at once, the later one keeps
// the earlier one's. What is rendered, and how it is laid out, is a recipe.
import { createHash } from 'node:crypto';
import { lstat, mkdtemp, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises';
import { availableParallelism, hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { defineOptions, MtcpError, type OptionsOf, type Split } from '../../../registry/index.js';
import { JsonFormat } from '../../../registry/support/json-file.js';
import { makeFolder } from '../../../registry/support/make-folder.js';
import { asCacheError, cacheFolder } from '../folders/cache.js';
import { writeAtomically } from '../formats/file.js';
import { changesBetween } from '../folders/contents.js';
import { SPLITS, type ReportProgress } from '../folders/layout.js';
import { ThreadPool } from '../../support/threads.js';

export interface SynthesisOptions {
  /** Pictures in each split; they come from streams of their own. */
  train: number;
  val: number;
  /** Height and width of the images. */
  size: readonly [number, number];
  seed: number;
}

/** One picture: what a rendering thread is asked for. */
export interface SceneJob {
  directory: string;
  id: string;
  seed: number;
  split: Split;
  index: number;
  size: readonly [number, number];
}

export interface Recipe<Result> {
  /** Goes up whenever the same options give other files. */
  version: number;
  /** What is rendered, in the plural. */
  things: string;
  /** Folders to make. */
  folders: readonly string[];
  /** Script of a thread that serves `SceneJob`s. */
  worker: URL;
  /** Writes the lists of the splits; what it returns becomes part of the manifest. */
  finish(directory: string, results: Record<Split, Record<string, Result>>): Promise<object>;
  /** Differs when the files differ. */
  digest(directory: string): Promise<string>;
}

/** `manifest.json` in the folder of a finished data set. */
export interface SynthesisManifest {
  version: number;
  options: SynthesisOptions;
  digest: string;
}

const quiet: ReportProgress = () => undefined;
const MANIFEST = 'manifest.json';

/**
 * Makes sure that `directory` holds the data set of these options: makes it if the folder is absent or empty,
 * keeps it if it is the same finished one, and refuses to touch anything else.
 */
export async function synthesise<Result, Manifest extends SynthesisManifest>(
  recipe: Recipe<Result>,
  directory: string,
  options: SynthesisOptions,
  report: ReportProgress = quiet,
  threads = availableParallelism(),
): Promise<Manifest> {
  const target = resolve(directory);
  if (!(await isEmpty(target))) return requireSame(recipe, target, options);
  try {
    await removeAbandoned(target);
    makeFolder(dirname(target));
    const partial = await mkdtemp(`${partialPrefix(target)}${process.pid}-`);
    try {
      const manifest = await fill<Result, Manifest>(recipe, partial, options, report, threads);
      return await publish(recipe, partial, target, manifest);
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  } catch (error) {
    throw asCacheError(error, dirname(target));
  }
}

async function fill<Result, Manifest extends SynthesisManifest>(
  recipe: Recipe<Result>,
  directory: string,
  options: SynthesisOptions,
  report: ReportProgress,
  threads: number,
): Promise<Manifest> {
  for (const folder of recipe.folders) makeFolder(join(directory, folder));
  const jobs = SPLITS.flatMap((split) => sceneJobs(directory, options, split));
  const pool = new ThreadPool<SceneJob, Result>(recipe.worker, Math.min(threads, jobs.length));
  let done = 0;
  try {
    const results = await Promise.all(
      jobs.map(async (job) => {
        const result = await pool.run(job);
        report(++done, jobs.length, `rendering ${recipe.things}`);
        return [job.id, result] as const;
      }),
    );
    const bySplit = Object.fromEntries(
      SPLITS.map((split) => [split, Object.fromEntries(results.filter((_, i) => jobs[i].split === split))]),
    ) as Record<Split, Record<string, Result>>;
    const more = await recipe.finish(directory, bySplit);
    const digest = await recipe.digest(directory);
    const manifest = { version: recipe.version, options, digest, ...more } as Manifest;
    await writeAtomically(join(directory, MANIFEST), `${JSON.stringify(manifest, undefined, 1)}\n`);
    return manifest;
  } finally {
    await pool.close();
  }
}

function sceneJobs(directory: string, { seed, size, ...counts }: SynthesisOptions, split: Split): SceneJob[] {
  return Array.from({ length: counts[split] }, (_, index) => {
    const id = `${split}-${String(index + 1).padStart(4, '0')}`;
    return { directory, id, seed, split, index, size };
  });
}

async function publish<Manifest extends SynthesisManifest>(
  recipe: Recipe<never>,
  partial: string,
  target: string,
  manifest: Manifest,
): Promise<Manifest> {
  try {
    await rmdir(target).catch(() => undefined);
    await rename(partial, target);
    return manifest;
  } catch (error) {
    // Somebody else was faster.
    if (!(await isEmpty(target))) return requireSame(recipe, target, manifest.options);
    throw error;
  }
}

/** The manifest of the finished data set in this folder, if it is that of these options. */
async function requireSame<Manifest extends SynthesisManifest>(
  recipe: Pick<Recipe<never>, 'version' | 'things' | 'digest'>,
  directory: string,
  options: SynthesisOptions,
): Promise<Manifest> {
  const { version, things } = recipe;
  const fail = (problem: string): never => {
    throw new MtcpError('usage', problem, {
      where: directory,
      hint: 'name another folder, or delete this one if you do not need it',
    });
  };
  const text = await readFile(join(directory, MANIFEST), 'utf8').catch(() => undefined);
  if (text === undefined) return fail(`is not empty and does not hold a finished set of ${things}`);
  const manifest = parseManifest<Manifest>(text) ?? fail('has a manifest that cannot be read');
  if (manifest.version !== version || keyOf(version, manifest.options) !== keyOf(version, options))
    return fail(`holds ${things} that were made with other options`);
  const digest = await recipe.digest(directory);
  if (digest === manifest.digest) return manifest;
  const changes = changesBetween(manifest.digest, digest);
  return fail(
    `holds ${things} whose files have changed since they were made${changes === undefined ? '' : ` (${changes})`}`,
  );
}

/** Differs for options that give different files. */
function keyOf(version: number, { train, val, size, seed }: SynthesisOptions): string {
  return JSON.stringify([version, train, val, ...size, seed]);
}

const FORMAT = new JsonFormat<SynthesisManifest>('the manifest of rendered data', {
  type: 'object',
  required: ['version', 'options', 'digest'],
  properties: {
    version: { type: 'integer' },
    options: {
      type: 'object',
      required: ['train', 'val', 'size', 'seed'],
      properties: {
        train: { type: 'integer' },
        val: { type: 'integer' },
        size: { type: 'array', items: { type: 'integer' }, minItems: 2, maxItems: 2 },
        seed: { type: 'integer' },
      },
    },
    digest: { type: 'string' },
  },
});

function parseManifest<Manifest extends SynthesisManifest>(text: string): Manifest | undefined {
  try {
    return FORMAT.parse(text, MANIFEST) as Manifest;
  } catch (error) {
    if (MtcpError.is(error)) return undefined;
    throw error;
  }
}

async function isEmpty(directory: string): Promise<boolean> {
  try {
    return (await readdir(directory)).length === 0;
  } catch (error) {
    // Whether it can be made is found out when it is.
    if (!(await lstat(directory).catch(() => undefined))) return true;
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
  const siblings = await readdir(dirname(target), { withFileTypes: true }).catch(() => []);
  for (const { name } of siblings.filter((each) => each.isDirectory() && each.name.startsWith(prefix))) {
    // As mkdtemp makes the rest of the name; any other folder is not ours.
    const pid = /^(\d{1,9})-[A-Za-z0-9]{6}$/.exec(name.slice(prefix.length))?.[1];
    if (pid !== undefined && !isAlive(Number(pid)))
      await rm(join(dirname(target), name), { recursive: true, force: true });
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

/** Options of the data sets that are made on first use. */
export const SYNTHESIS_SCHEMA = defineOptions({
  train: { description: 'training scenes', type: 'integer', minimum: 1, default: 240 },
  val: { description: 'validation scenes', type: 'integer', minimum: 1, default: 60 },
  size: {
    description: 'height and width of the images',
    type: 'array',
    items: { type: 'integer', minimum: 8, maximum: 8192 },
    minItems: 2,
    maxItems: 2,
    default: [96, 128],
  },
  seed: { description: 'which scenes', type: 'integer', default: 0 },
  cache: {
    description: 'folder to keep the images in; null: $MTCP_CACHE, else the cache folder of the user',
    anyOf: [{ type: 'string', format: 'path', written: true, minLength: 1 }, { type: 'null' }],
    default: null,
  },
});

/** What is rendered, from the options of such a data set. */
export const synthesisOptions = ({
  train,
  val,
  size: [height, width],
  seed,
}: OptionsOf<typeof SYNTHESIS_SCHEMA>): SynthesisOptions => ({ train, val, size: [height, width], seed });

/** What data sets of this kind are kept as: `rooms-0123456789ab`, or half done. */
const KEPT = /^[a-z]+-[0-9a-f]{12}(\.partial-|$)/;

/**
 * Refuses a `cache` that holds something else than rendered sets: a data set of the user's own, most likely.
 * @throws MtcpError `usage`
 */
export async function requireOwnCache(cache: string | null | undefined): Promise<void> {
  if (!cache || resolve(cache) === resolve(cacheFolder()) || (await isEmpty(cache))) return;
  const names = await readdir(cache);
  if (names.some((name) => KEPT.test(name))) return;
  throw new MtcpError('usage', `is not empty and holds no rendered data (${names.slice(0, 3).join(', ')})`, {
    where: resolve(cache),
    option: 'cache',
    hint: 'rendered images are written here: name a new folder. To train on data that lies there, choose a data set that reads them, such as nyud-v2 with its root',
  });
}

/** Where the set of these options is kept. */
export function synthesisFolder(
  name: string,
  cache: string | null | undefined,
  version: number,
  options: SynthesisOptions,
): string {
  const key = createHash('sha256').update(keyOf(version, options)).digest('hex').slice(0, 12);
  return join(cache ? resolve(cache) : cacheFolder(), `${name}-${key}`);
}
