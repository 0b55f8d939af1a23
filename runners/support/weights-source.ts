// Sources of weights: a safetensors file, or a folder in Hugging Face's layout (model.safetensors, or shards with an
// index, and config.json). Opening reads only headers; numbers are read when they are needed.
import { createHash } from 'node:crypto';
import { closeSync, existsSync, readSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { MtcpError } from '../../registry/errors.js';
import { JsonFormat } from '../../registry/support/json-file.js';
import { openPlain, unexpanded } from '../../registry/support/plain-file.js';
import { SafetensorsFile, type StoredTensor } from './safetensors.js';

const SINGLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
/** Formats that only Python reads, because they hold code. */
const PICKLED = /\.(bin|pth?|pkl|ckpt)$/;

const CONVERT =
  'in Python: from safetensors.torch import save_file; save_file(torch.load(FILE, weights_only=True), "weights.safetensors")';

const INDEX_FORMAT = new JsonFormat<{ weight_map: Record<string, string> }>(
  'an index of shards',
  {
    type: 'object',
    required: ['weight_map'],
    properties: {
      // Names beside the index: a path could lead anywhere.
      weight_map: {
        type: 'object',
        minProperties: 1,
        additionalProperties: { type: 'string', pattern: '^[^/\\\\]+\\.safetensors$' },
      },
    },
  },
  { kind: 'weights', hint: 'fetch the checkpoint again' },
);

const SETTINGS = new JsonFormat<Record<string, unknown>>(
  'settings of a model',
  { type: 'object' },
  { kind: 'weights', hint: 'fetch the checkpoint again, or remove the file' },
);

/** Written around a model by what ran it, and no part of its names. */
const WRAPPERS: readonly { prefix: string; whose: string }[] = [
  { prefix: 'module.', whose: "torch's DataParallel" },
  { prefix: '_orig_mod.', whose: 'torch.compile' },
];

/** A tensor by the name that it has here. */
interface Named {
  readonly file: SafetensorsFile;
  /** Name in the file. */
  readonly stored: string;
}

export class WeightsSource {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
  /** `config.json` beside the weights; empty without one. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** What was left off in front of all names, and whose it is, for people; empty as a rule. */
  readonly stripped: readonly string[];
  readonly #files: SafetensorsFile[];
  readonly #named: ReadonlyMap<string, Named>;

  /**
   * @param path a file or a folder
   * @throws MtcpError `weights` if it is not there, damaged, or in a format that is not read
   */
  constructor(readonly path: string) {
    const { files, config, index } = filesOf(path);
    this.#files = [];
    try {
      for (const file of files) this.#files.push(new SafetensorsFile(file));
      const owners = new Map<string, SafetensorsFile>();
      for (const file of this.#files)
        for (const name of file.tensors.keys()) {
          const other = owners.get(name);
          if (other) throw new MtcpError('weights', `"${name}" is both in ${other.path} and in ${file.path}`);
          owners.set(name, file);
        }
      if (index) requireIndexed(index, owners, path);
      this.settings = config ? SETTINGS.read(config) : {};
      const { names, stripped } = unwrapped([...owners.keys()], path);
      this.stripped = stripped;
      this.#named = new Map(
        [...owners].map(([stored, file]) => [names.get(stored)!, { file, stored }] as const),
      );
    } catch (error) {
      this.close();
      throw error;
    }
    this.tensors = new Map(
      [...this.#named].map(([name, { file, stored }]) => [name, file.tensors.get(stored)!]),
    );
    this.metadata = this.#files.length === 1 ? this.#files[0].metadata : {};
  }

  readInto(name: string, target: Float32Array | Int32Array): void {
    const { file, stored } = this.#named.get(name)!;
    file.readInto(stored, target);
  }

  /** @throws MtcpError `weights` if a file that mtcp wrote is not what was written */
  verify(): void {
    for (const file of this.#files) file.verify();
  }

  close(): void {
    for (const file of this.#files) file.close();
  }
}

/** @throws MtcpError `weights` if shards lack what their index says, or have what it does not say */
function requireIndexed(
  index: Readonly<Record<string, string>>,
  owners: ReadonlyMap<string, SafetensorsFile>,
  folder: string,
): void {
  for (const [name, shard] of Object.entries(index)) {
    const owner = owners.get(name);
    if (!owner || basename(owner.path) !== shard)
      throw new MtcpError('weights', `the index says that "${name}" is in ${shard}, which does not have it`, {
        where: join(folder, INDEX),
        hint: 'the shards belong to another index; fetch the checkpoint again',
      });
  }
}

/**
 * Names without what a training program wrapped around the model.
 * @throws MtcpError `weights` if two tensors would be called the same
 */
function unwrapped(
  stored: readonly string[],
  where: string,
): { names: Map<string, string>; stripped: string[] } {
  let names = new Map(stored.map((name) => [name, name]));
  const stripped: string[] = [];
  for (let again = names.size > 0; again;) {
    again = false;
    for (const { prefix, whose } of WRAPPERS) {
      if (![...names.values()].every((name) => name.startsWith(prefix))) continue;
      names = new Map([...names].map(([from, name]) => [from, name.slice(prefix.length)]));
      stripped.push(`"${prefix}" of ${whose}`);
      again = true;
    }
  }
  // Parts of a model may be compiled by themselves.
  const inner = '_orig_mod.';
  if ([...names.values()].some((name) => name.split('.').includes('_orig_mod'))) {
    names = new Map([...names].map(([from, name]) => [from, name.replaceAll(inner, '')]));
    stripped.push(`"${inner}" of torch.compile inside of names`);
  }
  const twice = [...names.values()].find((name, i, all) => stripped.length > 0 && all.indexOf(name) !== i);
  if (twice !== undefined)
    throw new MtcpError('weights', `two tensors are called "${twice}" without ${stripped.join(', ')}`, {
      where,
    });
  return { names, stripped };
}

interface Files {
  files: string[];
  config?: string;
  /** Tensor to shard. */
  index?: Record<string, string>;
}

function filesOf(path: string): Files {
  const fault = (message: string, hint?: string) => new MtcpError('weights', message, { hint });
  if (!existsSync(path)) throw fault(`there are no weights at ${resolve(path)}`, unexpanded(path));
  if (!statSync(path).isDirectory()) {
    if (PICKLED.test(path)) throw fault(`${path} is a pickled file, which only Python reads`, CONVERT);
    const config = join(path, '..', 'config.json');
    return { files: [path], ...(basename(path) === SINGLE && existsSync(config) && { config }) };
  }
  const config = existsSync(join(path, 'config.json')) ? join(path, 'config.json') : undefined;
  if (existsSync(join(path, SINGLE))) return { files: [join(path, SINGLE)], config };
  if (existsSync(join(path, INDEX))) {
    const { weight_map: index } = INDEX_FORMAT.read(join(path, INDEX));
    return { files: [...new Set(Object.values(index))].map((shard) => join(path, shard)), config, index };
  }
  const pickled = existsSync(join(path, 'pytorch_model.bin'));
  throw fault(
    `${path} has neither ${SINGLE} nor ${INDEX}${pickled ? ', only the pickled pytorch_model.bin' : ''}`,
    pickled ? CONVERT : undefined,
  );
}

/**
 * What identifies the weights at `path` wherever they lie: SHA-256 of the file, or of the shards one after the other.
 * Imported files carry theirs. Undefined if there is nothing at `path`.
 */
export function digestOf(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  const { files } = filesOf(path);
  if (files.length === 1) {
    const file = new SafetensorsFile(files[0]);
    file.close();
    if (file.metadata.digest) return file.metadata.digest;
  }
  const hash = createHash('sha256');
  const window = Buffer.alloc(4 << 20);
  for (const path of files) {
    const { file } = openPlain(path, { kind: 'weights' });
    try {
      for (let read; (read = readSync(file, window, 0, window.length, null)) > 0;)
        hash.update(window.subarray(0, read));
    } finally {
      closeSync(file);
    }
  }
  return hash.digest('hex');
}
