// HDF5 as written by MATLAB 7.3. It is read in parts, so that a file of gigabytes is never in memory. Axes are in the
// reverse of MATLAB's order.
import { closeSync } from 'node:fs';
import { resolve } from 'node:path';
import h5wasm, { type Dataset } from 'h5wasm/node';
import { MtcpError } from '../../../registry/index.js';
import { openPlain } from '../../../registry/support/plain-file.js';

export class Hdf5File {
  private constructor(
    readonly path: string,
    private readonly file: InstanceType<typeof h5wasm.File>,
  ) {}

  /** @throws MtcpError `data` if the file is absent or not HDF5 */
  static async open(path: string): Promise<Hdf5File> {
    const absolute = resolve(path);
    closeSync(openPlain(absolute, { kind: 'data' }).file);
    const library = await h5wasm.ready;
    // Errors are thrown instead of printed.
    library.activate_throwing_error_handler();
    try {
      return new Hdf5File(path, new h5wasm.File(absolute, 'r'));
    } catch (cause) {
      throw new MtcpError('data', 'is not an HDF5 file (MAT version 7.3) that can be read', {
        where: path,
        hint: 'if it was not copied to the end, fetch it again',
        cause,
      });
    }
  }

  /** Sizes along the axes, in the order of the file. */
  shapeOf(name: string): number[] {
    return this.#dataset(name).shape ?? [];
  }

  /** Entry `i` of the first axis, all of the others. */
  slice(name: string, i: number): Uint8Array | Uint16Array | Float32Array {
    const dataset = this.#dataset(name);
    try {
      const rest = (dataset.shape ?? []).slice(1).map((): [] => []);
      return dataset.slice([[i, i + 1], ...rest]) as Uint8Array | Uint16Array | Float32Array;
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
    this.file.close();
  }
}
