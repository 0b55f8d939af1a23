// A child process that answers each line of JSON with one line of JSON.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { MtcpError } from '../registry/errors.js';
import type { Checksum } from './checksum.js';

export interface RunAnswer {
  seconds: number[];
  /** Bytes, since the start of the process. */
  peakRss: number;
  /** Bytes on the device, where there is one and it tells. */
  deviceBytes?: number | null;
}

export class Side {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #complaints = '';

  constructor(
    readonly name: string,
    command: string,
    args: readonly string[],
  ) {
    this.#process = spawn(command, args, { env: { ...process.env, PYTHONUNBUFFERED: '1' } });
    this.#process.stderr.on('data', (text) => (this.#complaints = `${this.#complaints}${text}`.slice(-4000)));
    this.#process.stdin.on('error', () => {});
    this.#process.on('error', (error) => (this.#complaints += error.message));
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  async ask<T>(command?: object): Promise<T> {
    if (command) this.#process.stdin.write(`${JSON.stringify(command)}\n`);
    const { value, done } = await this.#lines.next();
    const answer = done
      ? { error: `ended: ${this.#complaints.trim().split('\n').at(-1)}` }
      : JSON.parse(value);
    if (answer.error) throw new MtcpError('engine', `${this.name}: ${answer.error}`);
    return answer as T;
  }

  run(count: number): Promise<RunAnswer> {
    return this.ask({ run: count });
  }

  async checksums(): Promise<Record<string, Checksum>> {
    return (await this.ask<{ checksums: Record<string, Checksum> }>({ outputs: null })).checksums;
  }

  /** Ends the process; resolves when it is gone and its memory with it. */
  async close(): Promise<void> {
    const { exitCode, signalCode } = this.#process;
    if (exitCode !== null || signalCode !== null || this.#process.pid === undefined) return;
    const gone = once(this.#process, 'exit');
    this.#process.stdin.end('{"quit":true}\n');
    const impatient = setTimeout(() => this.#process.kill(), 2000);
    await gone;
    clearTimeout(impatient);
  }
}
