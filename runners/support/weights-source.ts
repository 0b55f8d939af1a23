// Where weights come from: a safetensors file, or a folder as Hugging Face lays it out (model.safetensors, or
// shards with an index, and config.json). Opening reads headers only; numbers are read when they are wanted.
import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { MtcpError } from '../../registry/errors.js';
import { SafetensorsFile, type StoredTensor } from './safetensors.js';

const SINGLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
/** Formats that only Python reads, because they hold code. */
const PICKLED = /\.(bin|pth?|pkl|ckpt)$/;

const CONVERT =
  'in Python: from safetensors.torch import save_file; save_file(torch.load(FILE, weights_only=True), "weights.safetensors")';

export class WeightsSource {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
  /** `config.json` beside the weights; empty without one. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly #files: SafetensorsFile[];
  readonly #owner = new Map<string, SafetensorsFile>();

  /**
   * @param path a file or a folder
   * @throws MtcpError `weights` if it is not there, damaged, or in a format that is not read
   */
  constructor(readonly path: string) {
    const { files, config } = filesOf(path);
    this.#files = [];
    try {
      for (const file of files) this.#files.push(new SafetensorsFile(file));
      for (const file of this.#files)
        for (const name of file.tensors.keys()) {
          const other = this.#owner.get(name);
          if (other) throw new MtcpError('weights', `"${name}" is both in ${other.path} and in ${file.path}`);
          this.#owner.set(name, file);
        }
      this.settings = config ? readSettings(config) : {};
    } catch (error) {
      this.close();
      throw error;
    }
    this.tensors = new Map([...this.#owner].map(([name, file]) => [name, file.tensors.get(name)!]));
    this.metadata = this.#files.length === 1 ? this.#files[0].metadata : {};
  }

  readInto(name: string, target: Float32Array | Int32Array): void {
    this.#owner.get(name)!.readInto(name, target);
  }

  close(): void {
    for (const file of this.#files) file.close();
  }
}

function filesOf(path: string): { files: string[]; config?: string } {
  const fault = (message: string, hint?: string) => new MtcpError('weights', message, { hint });
  if (!existsSync(path)) throw fault(`there are no weights at ${resolve(path)}`);
  if (!statSync(path).isDirectory()) {
    if (PICKLED.test(path)) throw fault(`${path} is a pickled file, which only Python reads`, CONVERT);
    const config = join(path, '..', 'config.json');
    return { files: [path], ...(basename(path) === SINGLE && existsSync(config) && { config }) };
  }
  const config = existsSync(join(path, 'config.json')) ? join(path, 'config.json') : undefined;
  if (existsSync(join(path, SINGLE))) return { files: [join(path, SINGLE)], config };
  if (existsSync(join(path, INDEX))) {
    const { weight_map: map } = JSON.parse(readFileSync(join(path, INDEX), 'utf8')) as {
      weight_map: Record<string, string>;
    };
    return { files: [...new Set(Object.values(map))].map((shard) => join(path, shard)), config };
  }
  const pickled = existsSync(join(path, 'pytorch_model.bin'));
  throw fault(
    `${path} has neither ${SINGLE} nor ${INDEX}${pickled ? ', only the pickled pytorch_model.bin' : ''}`,
    pickled ? CONVERT : undefined,
  );
}

function readSettings(path: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  } catch (cause) {
    throw new MtcpError('weights', `${path} is not JSON`, { cause });
  }
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
    const file = openSync(path, 'r');
    try {
      for (let read; (read = readSync(file, window, 0, window.length, null)) > 0;)
        hash.update(window.subarray(0, read));
    } finally {
      closeSync(file);
    }
  }
  return hash.digest('hex');
}
