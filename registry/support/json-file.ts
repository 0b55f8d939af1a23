// Reads JSON that another program or version may have written, or a disk may have damaged. The text is checked
// against a schema: the result has the type that was asked for, or an error names the file.
import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import type { Ajv, ValidateFunction } from 'ajv';
import { MtcpError, type ErrorKind } from '../errors.js';
import { entryAt, readText, type PlainOptions } from './plain-file.js';

/** Draft-07. What a schema does not mention is left as it is, for files of later versions. */
export type FileSchema = Readonly<Record<string, unknown>>;

export interface JsonFormatOptions {
  /** Of the errors. */
  readonly kind?: ErrorKind;
  /** What to do about a file that is damaged. */
  readonly hint?: string;
}

/** The lines of a file of which each is a JSON object. */
export interface JsonLines<T> {
  readonly records: T[];
  /** Lines that cannot be read: their numbers, from 1. */
  readonly malformed: number[];
}

const require = createRequire(import.meta.url);
let compiler: Ajv | undefined;

/** ajv is large. A program that reads no JSON does not load it. */
function compile(schema: FileSchema): ValidateFunction {
  if (!compiler) {
    const { Ajv } = require('ajv') as typeof import('ajv');
    compiler = new Ajv({ strict: true, strictRequired: false, allowUnionTypes: true });
  }
  return compiler.compile(schema);
}

export class JsonFormat<T> {
  #validate: ValidateFunction | undefined;

  /** @param what for example "an index of predictions" */
  constructor(
    readonly what: string,
    readonly schema: FileSchema,
    readonly options: JsonFormatOptions = {},
  ) {}

  get #plain(): PlainOptions {
    return { kind: this.options.kind ?? 'io', hint: this.options.hint };
  }

  /** @throws MtcpError if the file is not there, no plain file, not JSON, or not what it should be */
  read(path: string): T {
    return this.parse(readText(path, this.#plain), path);
  }

  /** The same; undefined if there is no such file. */
  find(path: string): T | undefined {
    return entryAt(path) === undefined ? undefined : this.read(path);
  }

  /** @param where the file, for the error */
  parse(text: string, where: string): T {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw this.#fault(`is not JSON (${(cause as Error).message.split('\n')[0]})`, where, cause);
    }
    return this.check(value, where);
  }

  /** The same for a value that was parsed already. */
  check(value: unknown, where: string): T {
    const problem = this.problem(value);
    if (problem) throw this.#fault(`is not ${this.what}: ${problem}`, where);
    return value as T;
  }

  /** What is wrong with a value that was parsed; undefined if nothing is. */
  problem(value: unknown): string | undefined {
    const validate = (this.#validate ??= compile(this.schema));
    if (validate(value)) return undefined;
    const { instancePath, message } = validate.errors![0];
    return `${instancePath === '' ? 'it' : instancePath.slice(1).replaceAll('/', '.')} ${message}`;
  }

  /**
   * A file of lines that grows at its end; a last line that is not ended yet does not count.
   * @throws MtcpError if it is there and cannot be read
   */
  lines(path: string): JsonLines<T> {
    const read: JsonLines<T> = { records: [], malformed: [] };
    if (!existsSync(path)) return read;
    const lines = readText(path, this.#plain).split('\n').slice(0, -1);
    for (const [i, line] of lines.entries()) {
      if (line === '') continue;
      const record = this.line(line);
      if (record === undefined) read.malformed.push(i + 1);
      else read.records.push(record);
    }
    return read;
  }

  /** One line of such a file; undefined if it cannot be read. */
  line(line: string): T | undefined {
    try {
      const value: unknown = JSON.parse(line);
      return this.problem(value) === undefined ? (value as T) : undefined;
    } catch {
      return undefined;
    }
  }

  #fault(message: string, where: string, cause?: unknown): MtcpError {
    return new MtcpError(this.options.kind ?? 'io', message, { where, hint: this.options.hint, cause });
  }
}

/** Numbers by name; what is not defined is written as null. */
export const NUMBERS: FileSchema = {
  type: 'object',
  additionalProperties: { type: ['number', 'null'] },
};

/** Texts by name. */
export const TEXTS: FileSchema = { type: 'object', additionalProperties: { type: 'string' } };
