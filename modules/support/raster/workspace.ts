// Memory for one image at a time, and the kernels that work on it. It belongs to the thread and is used again for the next
// image, so that nothing is allocated once the largest one was seen. Addresses stay valid until `clear`; views of the
// memory only until the next `allocate`, which may move it.
import { kernelModule, kernelsOf, type Kernels } from './kernels.js';

const PAGE = 2 ** 16;
/** Room behind each region: kernels read and write 16 bytes at a time. */
const SLACK = 16;

export class Workspace {
  #pages = 0;
  #used = 0;
  #kernels!: Kernels;
  #bytes!: Uint8Array<SharedArrayBuffer>;
  #floats!: Float32Array<SharedArrayBuffer>;
  #integers!: Int32Array<SharedArrayBuffer>;

  constructor() {
    this.#grow(16);
  }

  get kernels(): Kernels {
    return this.#kernels;
  }

  /** Everything that was allocated is free. */
  clear(): void {
    this.#used = 0;
  }

  /** @returns an address, a multiple of 16 */
  allocate(bytes: number): number {
    const at = this.#used;
    this.#used = Math.ceil((at + bytes + SLACK) / 16) * 16;
    if (this.#used > this.#pages * PAGE) this.#grow(Math.max(2 * this.#pages, Math.ceil(this.#used / PAGE)));
    return at;
  }

  bytes(at: number, length: number): Uint8Array<SharedArrayBuffer> {
    return this.#bytes.subarray(at, at + length);
  }

  floats(at: number, length: number): Float32Array<SharedArrayBuffer> {
    return this.#floats.subarray(at >> 2, (at >> 2) + length);
  }

  /** Puts numbers into a region of their own. */
  place(numbers: Int32Array | Float32Array): number {
    const at = this.allocate(4 * numbers.length);
    (numbers instanceof Int32Array ? this.#integers : this.#floats).set(numbers, at >> 2);
    return at;
  }

  #grow(pages: number): void {
    const before = this.#bytes;
    const { memory, exports } = kernelModule(pages).instantiate();
    this.#pages = pages;
    this.#kernels = kernelsOf(exports);
    const { buffer } = memory;
    this.#bytes = new Uint8Array(buffer);
    this.#floats = new Float32Array(buffer);
    this.#integers = new Int32Array(buffer);
    if (before) this.#bytes.set(before);
  }
}

let own: Workspace | undefined;

/** That of this thread, cleared. Nobody keeps an address of it beyond the synchronous work on one image. */
export function workspace(): Workspace {
  own ??= new Workspace();
  own.clear();
  return own;
}
