// Files of a run or a logged model, sent through the server's artifact proxy. A file is streamed from disk whatever
// its size. A large file goes in parts directly to the store behind the server, if the store supports that.
import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, extname, join, posix } from 'node:path';
import { ReadableStream } from 'node:stream/web';
import { boundedText, LONGEST_REFUSAL, type Answer } from './answers.js';
import { MlflowError } from './errors.js';
import type { Body } from './fetch.js';
import type { Transport } from './transport.js';
import type { FileInfo } from './types.js';

export interface UploadOptions {
  /** Files from this size on go in parts. */
  partsFrom?: number;
  /** Bytes of a part; more if there would be too many parts. */
  part?: number;
}

const MIB = 1024 * 1024;
const PROXY = '/api/2.0/mlflow-artifacts';
/** S3 takes no more. */
const MOST_PARTS = 10_000;
const AT_ONCE = 2;
const TRIES = 3;

interface Part {
  url: string;
  part_number: number;
  headers?: Record<string, string>;
}

export class Artifacts {
  /** Learnt from the server's first answer. */
  #takesParts = true;

  /** @param root path below the proxy, such as 1/<run id>/artifacts */
  private constructor(
    private readonly transport: Transport,
    private readonly root: string,
    private readonly options: UploadOptions,
  ) {}

  /**
   * @param uri `artifact_uri` of a run or a logged model
   * @throws MlflowError if it lies where only the store's own client gets
   */
  static at(transport: Transport, uri: string, options: UploadOptions = {}): Artifacts {
    const match =
      /^mlflow-artifacts:(?:\/\/[^/]*)?\/+(.*)$/.exec(uri) ??
      /\/mlflow-artifacts\/artifacts\/(.*)$/.exec(uri);
    if (!match)
      throw new MlflowError(
        `files of this run lie at ${transport.redactor.text(uri)}, which the server does not pass on`,
        { passing: false, certain: true },
        {
          where: transport.uri,
          hint: 'start it with --serve-artifacts and make a new experiment there; everything but files is logged',
        },
      );
    return new Artifacts(transport, match[1].replace(/\/+$/, ''), options);
  }

  /** Uploads a file; one that is there already is replaced. @param path such as report/report.md */
  async putFile(path: string, file: string): Promise<void> {
    const { size } = await stat(file);
    const { partsFrom = 100 * MIB } = this.options;
    if (size >= partsFrom && this.#takesParts && (await this.#putParts(path, file, size))) return;
    const make = () => (size === 0 ? '' : ReadableStream.from(this.#pieces(path, file, size))) as Body;
    await this.#put(path, { make, bytes: size });
  }

  async putText(path: string, text: string): Promise<void> {
    const data = Buffer.from(text);
    await this.#put(path, { make: () => data, bytes: data.length });
  }

  /** Uploads everything below a folder, in the order of names. */
  async putFolder(path: string, folder: string): Promise<void> {
    const entries = await readdir(folder, { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const [to, from] = [posix.join(path, entry.name), join(folder, entry.name)];
      if (entry.isDirectory()) await this.putFolder(to, from);
      else if (entry.isFile()) await this.putFile(to, from);
    }
  }

  /** What is directly below a path. */
  async list(path = ''): Promise<FileInfo[]> {
    const query = { path: posix.join(this.root, path) };
    const { files } = await this.transport.json<{ files?: FileInfo[] | null }>(
      { method: 'GET', path: `${PROXY}/artifacts`, query, repeatable: true },
      'files',
    );
    return (files ?? []).map((file) => ({ ...file, path: posix.join(path, file.path) }));
  }

  download(path: string): Promise<Response> {
    return this.transport.raw({ method: 'GET', path: this.#address('artifacts', path), repeatable: true });
  }

  async #put(path: string, body: { make(): Body; bytes: number }): Promise<void> {
    await this.transport.json(
      {
        method: 'PUT',
        path: this.#address('artifacts', path),
        body: { ...body, type: typeOf(path) },
        repeatable: true,
      },
      'done',
    );
  }

  /** @param size fixed beforehand: of a file that still grows, this much is sent */
  async *#pieces(path: string, file: string, size: number): AsyncGenerator<Uint8Array> {
    let sent = 0;
    for await (const piece of createReadStream(file, { end: size - 1 })) {
      yield piece as Uint8Array;
      this.transport.uploaded(`${this.root}/${path}`, (sent += (piece as Uint8Array).length));
    }
  }

  /** False if the store behind the server takes no parts. */
  async #putParts(path: string, file: string, size: number): Promise<boolean> {
    const part = Math.max(this.options.part ?? 10 * MIB, Math.ceil(size / MOST_PARTS));
    const name = basename(path);
    const folder = posix.dirname(path);
    const call = <T>(what: string, json: object, answer: Answer = 'done') =>
      this.transport.json<T>(
        {
          method: 'POST',
          path: this.#address(`mpu/${what}`, folder === '.' ? '' : folder),
          json: { path: name, ...json },
          repeatable: true,
        },
        answer,
      );
    let upload: { upload_id: string; credentials: Part[] };
    try {
      upload = await call('create', { num_parts: Math.ceil(size / part) }, 'parts');
    } catch (error) {
      if (!MlflowError.is(error) || !/multipart upload is not supported/i.test(error.message)) throw error;
      this.#takesParts = false;
      return false;
    }
    const { upload_id } = upload;
    try {
      const parts = await this.#sendParts(file, part, upload.credentials);
      await call('complete', { upload_id, parts });
      return true;
    } catch (error) {
      await call('abort', { upload_id }).catch(() => {});
      // The store may be reachable from the server alone; then the server has to pass the file on.
      if (MlflowError.is(error) && error.certain) {
        this.#takesParts = false;
        return false;
      }
      throw error;
    }
  }

  async #sendParts(file: string, size: number, wanted: readonly Part[]): Promise<object[]> {
    const done: object[] = [];
    const left = [...wanted];
    const handle = await open(file);
    const work = async () => {
      const buffer = Buffer.alloc(size);
      for (let part = left.shift(); part; part = left.shift()) {
        const { bytesRead } = await handle.read(buffer, 0, size, (part.part_number - 1) * size);
        done.push(await this.#sendPart(part, buffer.subarray(0, bytesRead)));
        this.transport.uploaded(file, done.length);
      }
    };
    try {
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, wanted.length) }, work));
    } finally {
      await handle.close();
    }
    return done.sort((a, b) => (a as Part).part_number - (b as Part).part_number);
  }

  async #sendPart({ url, part_number, headers }: Part, data: Uint8Array): Promise<object> {
    // Such an address is a credential in itself and must not be shown.
    const host = URL.canParse(url) ? new URL(url).host : 'an address that is none';
    const where = `PUT part ${part_number} at ${host}`;
    for (let attempt = 1; ; attempt++) {
      try {
        const response = await this.transport.foreign(url, {
          method: 'PUT',
          headers,
          body: data as Body,
        });
        await boundedText(response, LONGEST_REFUSAL);
        if (response.ok) return { part_number, etag: response.headers.get('etag') ?? '', url };
        throw new Error(`status ${response.status}`);
      } catch (error) {
        if (attempt < TRIES) continue;
        const reason = ((error as Error).cause as Error | undefined)?.message ?? (error as Error).message;
        throw new MlflowError(
          `the store does not take a part: ${reason}`,
          { passing: true, certain: true },
          { where },
        );
      }
    }
  }

  #address(what: string, path: string): string {
    const encoded = posix.join(this.root, path).split('/').map(encodeURIComponent).join('/');
    return `${PROXY}/${what}/${encoded}`;
  }
}

const TYPES: Readonly<Record<string, string>> = {
  '.json': 'application/json',
  '.jsonl': 'application/x-ndjson',
  '.html': 'text/html',
  '.md': 'text/markdown',
  '.csv': 'text/csv',
  '.txt': 'text/plain',
  '.yaml': 'text/plain',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};

const typeOf = (path: string): string => TYPES[extname(path)] ?? 'application/octet-stream';
