// Arrays that stay on an XLA device between runs. A kept array's copy is a PJRT buffer; a program that writes it makes
// another buffer, which takes the place of the old one.
import type { DeviceMemory, Moved, Staged } from '../device-memory.js';
import type { HostArray, HostTensor } from '../../support/host-tensor.js';
import { allSettled, type DeviceBuffer, type PjrtClient } from './client.js';
import { ON_ONE, type Placement } from './mesh.js';

interface Kept {
  readonly tensor: HostTensor;
  /** None before the first use, and after the array was written to. */
  buffer?: DeviceBuffer;
}

const isSame = (a: Placement, b: Placement): boolean =>
  a.devices === b.devices && a.isDivided === b.isDivided;

class StagedBuffer implements Staged {
  constructor(readonly buffer: DeviceBuffer) {}
  discard(): void {
    this.buffer.destroy();
  }
}

export class XlaMemory implements DeviceMemory {
  readonly #kept = new Map<HostArray, Kept>();
  /** By what lies under the arrays, to find a part of one that is kept as a whole. */
  readonly #below = new Map<ArrayBufferLike, HostArray>();
  /** Where the programs that are bound to an array expect its copy; on one device if nothing is said. */
  readonly #placements = new WeakMap<HostArray, Placement>();

  constructor(readonly client: Pick<PjrtClient, 'moved' | 'upload'>) {}

  get moved(): Readonly<Moved> {
    return this.client.moved;
  }

  keep(tensors: Iterable<HostTensor>): void {
    for (const tensor of tensors) {
      const { data } = tensor;
      if (this.#kept.has(data)) continue;
      this.#kept.set(data, { tensor });
      this.#below.set(data.buffer, data);
    }
  }

  release(tensors: Iterable<HostTensor>): void {
    for (const { data } of tensors) {
      this.#kept.get(data)?.buffer?.destroy();
      this.#kept.delete(data);
      this.#below.delete(data.buffer);
    }
  }

  /** Frees every copy. */
  close(): void {
    for (const { buffer } of this.#kept.values()) buffer?.destroy();
    this.#kept.clear();
    this.#below.clear();
  }

  changed(tensors: Iterable<HostTensor>): void {
    for (const { data } of tensors) this.#replace(this.#require(data), undefined);
  }

  async pull(tensors: Iterable<HostTensor>): Promise<void> {
    await allSettled([...tensors].map(async ({ data }) => this.#require(data).buffer?.read(data)));
  }

  async stage({ data, dtype, shape }: HostTensor, numbers: HostArray): Promise<Staged> {
    return new StagedBuffer(await this.client.upload(numbers, dtype, shape, this.#placements.get(data)));
  }

  place({ data }: HostTensor, staged: Staged): void {
    this.#replace(this.#require(data), (staged as StagedBuffer).buffer);
  }

  /** Whether the array is kept. A part of a kept array would be read and written on the host, where nobody looks. */
  keeps({ data }: HostTensor): boolean {
    if (this.#kept.has(data)) return true;
    const whole = this.#below.get(data.buffer);
    if (whole) throw new Error('a program is bound to a part of an array that the device keeps as a whole');
    return false;
  }

  /** Says where a program that is bound to the array expects its copy, or leaves it. */
  expect({ data }: HostTensor, placement: Placement): void {
    const known = this.#placements.get(data);
    if (known && !isSame(known, placement))
      throw new Error('two programs want an array on several devices in different ways');
    this.#placements.set(data, placement);
  }

  /** The copy that a program reads. */
  async bufferOf({ data }: HostTensor): Promise<DeviceBuffer> {
    const kept = this.#require(data);
    const { dtype, shape } = kept.tensor;
    return (kept.buffer ??= await this.client.upload(
      data,
      dtype,
      shape,
      this.#placements.get(data) ?? ON_ONE,
    ));
  }

  /** What a program has written. */
  written({ data }: HostTensor, buffer: DeviceBuffer): void {
    this.#replace(this.#require(data), buffer);
  }

  #replace(kept: Kept, buffer: DeviceBuffer | undefined): void {
    kept.buffer?.destroy();
    kept.buffer = buffer;
  }

  #require(data: HostArray): Kept {
    const kept = this.#kept.get(data);
    if (!kept) throw new Error('the device does not keep this array');
    return kept;
  }
}
