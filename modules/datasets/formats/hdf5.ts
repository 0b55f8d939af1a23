// HDF5 as written by MATLAB 7.3. It is read in parts, so that a file of gigabytes is never in memory. Axes are in the
// reverse of MATLAB's order.
import { closeSync } from 'node:fs';
import { resolve } from 'node:path';
import h5wasm, { type Dataset } from 'h5wasm/node';
import { MtcpError } from '../../../registry/index.js';
import { openPlain } from '../../../registry/support/plain-file.js';
import { MOST_PIXELS } from './budget.js';

type Numbers = Uint8Array | Uint16Array | Float32Array | Float64Array;
type NumbersOf<T> = new (...args: never[]) => T;

export class Hdf5File {
  private constructor(
    readonly path: string,
    private readonly file: InstanceType<typeof h5wasm.File>,
  ) {}

  /** @throws MtcpError `data` if the file is absent or not HDF5 */
  static async open(path: string): Promise<Hdf5File> {
    const absolute = resolve(path);
    closeSync(openPlain(absolute, { kind: 'data' }).file);
    try {
      const library = await h5wasm.ready;
      // Errors are thrown instead of printed.
      library.activate_throwing_error_handler();
      return new Hdf5File(path, new h5wasm.File(absolute, 'r'));
    } catch (cause) {
      throw new MtcpError('data', 'is not an HDF5 file (MAT version 7.3) that can be read', {
        where: path,
        hint: 'if it was not copied to the end, fetch it again',
        cause,
      });
    }
  }

  /** Sizes along the axes, in the order of the file. @throws MtcpError `data` */
  shapeOf(name: string): number[] {
    const dataset = this.#dataset(name);
    try {
      return dataset.shape ?? [];
    } catch (cause) {
      throw new MtcpError('data', `the size of "${name}" cannot be read`, { where: this.path, cause });
    }
  }

  /**
   * Entry `i` of the first axis, all of the others.
   * @param types of numbers that are expected; another one would be rounded or wrapped around without a word
   * @throws MtcpError `data` if it cannot be read, is of another type, or too large
   */
  slice<T extends Numbers>(name: string, i: number, types: readonly NumbersOf<T>[]): T {
    const dataset = this.#dataset(name);
    const rest = this.shapeOf(name).slice(1);
    if (rest.reduce((a, b) => a * b, 1) > MOST_PIXELS)
      throw new MtcpError('data', `an entry of "${name}" is [${rest.join(', ')}], more than is read`, {
        where: this.path,
      });
    const read = this.#read(dataset, name, i, rest.length);
    const type = types.find((each) => read instanceof each);
    if (type) return read as T;
    const found = ArrayBuffer.isView(read) ? read.constructor.name : 'no numbers';
    throw new MtcpError('data', `"${name}" is ${found}, not ${types.map((each) => each.name).join(' or ')}`, {
      where: this.path,
    });
  }

  #read(dataset: Dataset, name: string, i: number, axes: number): unknown {
    try {
      return dataset.slice([[i, i + 1], ...Array.from({ length: axes }, (): [] => [])]);
    } catch (cause) {
      throw new MtcpError('data', `entry ${i} of "${name}" cannot be read`, {
        where: this.path,
        hint: 'the file seems to be damaged; fetch it again',
        cause,
      });
    }
  }

  #dataset(name: string): Dataset {
    let found: unknown;
    try {
      found = this.file.get(name);
    } catch {
      found = undefined;
    }
    if (found instanceof h5wasm.Dataset) return found;
    throw new MtcpError('data', `has no variable "${name}"`, { where: this.path });
  }

  close(): void {
    try {
      this.file.close();
    } catch {
      // Damage can break the library itself, which then refuses everything.
    }
  }
}
