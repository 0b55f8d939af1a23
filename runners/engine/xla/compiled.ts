// Compiled programs, kept between processes. XLA's compiler takes from seconds to minutes for a training step; the
// result is stored under a hash of everything that it depends on: the program, the options, the plugin and the device.
// Compiled code is run as it is read, so each file carries a checksum.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { cpus } from 'node:os';
import { basename, join } from 'node:path';
import { MtcpError } from '../../../registry/errors.js';
import { writeWhole } from '../../support/files.js';
import { engineCache, librariesBeside } from './plugin.js';

/** Raised when what goes into a key or a file changes. */
const FORMAT = 1;
const CHECKSUM = 32;
/** Bytes kept in all; what was not used for the longest goes first. */
const ROOM = 8 * 2 ** 30;
const NAME = /^[0-9a-f]{64}\.bin$/;

export interface CompiledFor {
  /** Path of the library; another file of the same name and size counts as the same. */
  plugin: string;
  /** Version of its interface. */
  version: string;
  /** What the device is, such as "NVIDIA H100 80GB HBM3". */
  device: string;
}

export class CompiledPrograms {
  constructor(readonly folder: string = join(engineCache(), '..', 'compiled')) {}

  keyOf({ plugin, version, device }: CompiledFor, program: string, options: Uint8Array): string {
    // Code for a CPU uses what this very model of it can do.
    const host = device === 'cpu' ? (cpus()[0]?.model ?? '') : '';
    const flags = process.env.XLA_FLAGS ?? '';
    const libraries = librariesBeside(plugin);
    const about = [FORMAT, basename(plugin), statSync(plugin).size, version, device, host, flags, libraries];
    return createHash('sha256').update(JSON.stringify(about)).update(options).update(program).digest('hex');
  }

  /** The stored program; undefined if there is none, or it is damaged. */
  read(key: string): Buffer | undefined {
    const path = this.#path(key);
    if (!existsSync(path)) return undefined;
    try {
      const file = readFileSync(path);
      const content = file.subarray(CHECKSUM);
      if (!createHash('sha256').update(content).digest().equals(file.subarray(0, CHECKSUM))) return undefined;
      const now = new Date();
      utimesSync(path, now, now);
      return content;
    } catch {
      // What cannot be read is compiled again.
      return undefined;
    }
  }

  /** @returns whether it could be stored; a program that cannot is compiled again next time */
  write(key: string, program: Uint8Array): boolean {
    try {
      const checksum = createHash('sha256').update(program).digest();
      writeWhole(this.#path(key), Buffer.concat([checksum, program]));
      this.#makeRoom();
      return true;
    } catch (error) {
      if (!MtcpError.is(error)) throw error;
      return false;
    }
  }

  forget(key: string): void {
    rmSync(this.#path(key), { force: true });
  }

  #path(key: string): string {
    return join(this.folder, `${key}.bin`);
  }

  #makeRoom(): void {
    const files = readdirSync(this.folder)
      .filter((name) => NAME.test(name))
      .flatMap((name) => {
        const path = join(this.folder, name);
        const stat = statSync(path, { throwIfNoEntry: false });
        return stat ? [{ path, size: stat.size, used: stat.mtimeMs }] : [];
      })
      .sort((a, b) => b.used - a.used);
    let total = 0;
    for (const { path, size } of files) if ((total += size) > ROOM) rmSync(path, { force: true });
  }
}
