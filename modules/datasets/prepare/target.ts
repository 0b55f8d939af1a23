// The folder that a benchmark is built into. Each file appears complete or not at all, so that an interrupted build
// continues. At the end all files are listed with their digests; a folder with a list is finished. Sources are
// identified by digests: a folder that was begun from other sources is not continued.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { MtcpError } from '../../../registry/index.js';
import { JsonFormat, TEXTS } from '../../../registry/support/json-file.js';
import { makeFolder } from '../../../registry/support/make-folder.js';
import { writeAtomically } from '../formats/file.js';
import type { ReportProgress } from '../folders/layout.js';

/** What a finished folder says about itself. */
export interface PreparedManifest {
  format: 1;
  benchmark: string;
  /** Role to SHA-256 of what was built from, and options that change the result. */
  sources: Record<string, string>;
  /** Labels that the benchmark distributes and this folder does not have, or has otherwise. */
  notes: string[];
  /** Relative path to SHA-256. */
  files: Record<string, string>;
}

export const PREPARED = 'prepared.json';
const BEGUN = 'preparing.json';

/** A folder that was begun: what it is built from. */
type Begun = Pick<PreparedManifest, 'benchmark' | 'sources'>;

const DAMAGED = { kind: 'data', hint: 'prepare the benchmark again in a new folder' } as const;
const BEGUN_FIELDS = { benchmark: { type: 'string' }, sources: TEXTS };

const BEGUN_FORMAT = new JsonFormat<Begun>(
  'a folder that was begun',
  { type: 'object', required: Object.keys(BEGUN_FIELDS), properties: BEGUN_FIELDS },
  DAMAGED,
);

const MANIFEST = new JsonFormat<PreparedManifest>(
  'the list of a prepared folder',
  {
    type: 'object',
    required: ['format', 'benchmark', 'sources', 'files'],
    properties: {
      ...BEGUN_FIELDS,
      format: { const: 1 },
      notes: { type: 'array', items: { type: 'string' } },
      // Paths that stay in the folder.
      files: { ...TEXTS, propertyNames: { pattern: '^(?!/)(?!(?:.*/)?\\.\\.(?:/|$))' } },
    },
  },
  DAMAGED,
);

export class PreparedFolder {
  private constructor(
    readonly root: string,
    readonly benchmark: string,
    readonly sources: Record<string, string>,
  ) {}

  /**
   * @returns the folder, and its list if it is finished already
   * @throws MtcpError `usage` if the folder holds something else
   */
  static async open(
    directory: string,
    benchmark: string,
    sources: Record<string, string>,
  ): Promise<{ folder: PreparedFolder; done?: PreparedManifest }> {
    const root = resolve(directory);
    makeFolder(root);
    const folder = new PreparedFolder(root, benchmark, sources);
    const done = MANIFEST.find(join(root, PREPARED));
    const begun = done ?? BEGUN_FORMAT.find(join(root, BEGUN));
    if (!begun && (await readdir(root)).length > 0)
      throw new MtcpError('usage', 'is not empty and was not begun by mtcp data prepare', {
        where: directory,
        hint: 'name another folder',
      });
    if (begun && JSON.stringify([begun.benchmark, begun.sources]) !== JSON.stringify([benchmark, sources]))
      throw new MtcpError('usage', 'was built from other files or with other options', {
        where: directory,
        hint: 'name another folder, or delete this one if you do not need it',
      });
    if (!begun) await writeAtomically(join(root, BEGUN), JSON.stringify({ benchmark, sources }));
    return { folder, done };
  }

  /** Writes a file unless it is there already; `make` runs only if it is needed. */
  async add(path: string, make: () => Promise<Uint8Array | string> | Uint8Array | string): Promise<void> {
    const file = join(this.root, path);
    if (await stat(file).catch(() => undefined)) return;
    makeFolder(dirname(file));
    await writeAtomically(file, await make());
  }

  /** Lists every file: the folder is finished. */
  async finish(notes: string[], report: ReportProgress): Promise<PreparedManifest> {
    const names = await filesBelow(this.root);
    const files: Record<string, string> = {};
    for (const [i, name] of names.entries()) {
      if (name !== BEGUN) files[name] = await digestOf(join(this.root, name));
      if ((i + 1) % 100 === 0 || i + 1 === names.length) report(i + 1, names.length, 'computing digests');
    }
    const { benchmark, sources } = this;
    const manifest: PreparedManifest = { format: 1, benchmark, sources, notes, files };
    await writeAtomically(join(this.root, PREPARED), `${JSON.stringify(manifest, undefined, 1)}\n`);
    return manifest;
  }
}

/** Files of a finished folder whose bytes are not those of its list, or that are gone. */
export async function changedFiles(
  root: string,
  { files }: PreparedManifest,
  report: ReportProgress,
): Promise<string[]> {
  const changed: string[] = [];
  const names = Object.keys(files);
  for (const [i, name] of names.entries()) {
    const digest = await digestOf(join(root, name)).catch(() => undefined);
    if (digest !== files[name]) changed.push(name);
    if ((i + 1) % 100 === 0 || i + 1 === names.length) report(i + 1, names.length, 'comparing digests');
  }
  return changed;
}

/** What a folder that was built here says about the labels of these tasks. */
export function preparedNotes(root: string, tasks: readonly string[]): string[] {
  const { notes = [] } = readPrepared(root) ?? {};
  return notes.filter((note) => tasks.some((task) => note.includes(task)));
}

/** What a finished folder says about itself; undefined if it is not one. @throws MtcpError `data` if that is damaged */
export const readPrepared = (root: string): PreparedManifest | undefined =>
  MANIFEST.find(join(root, PREPARED));

/** Relative paths in order. */
async function filesBelow(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.name.includes('.partial-'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

/** SHA-256 of a file, read as a stream. */
export async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  } catch (cause) {
    throw new MtcpError('data', `cannot be read (${(cause as NodeJS.ErrnoException).code})`, {
      where: file,
      cause,
    });
  }
  return hash.digest('hex');
}
