// A step's arrays on a device that keeps them: weights and state, what one program hands to the next, and batches,
// of which the next one is copied there while the step before it runs.
import type { DeviceMemory, Staged } from '../../engine/device-memory.js';
import type { HostArray, HostTensor } from '../../engine/ort/session.js';
import type { TrainBatch } from '../../data/batch.js';
import { Residence } from './residence.js';

/** Numbers of one micro-batch, by the name of the array that they are for. */
export type BatchParts = ReadonlyMap<string, HostArray>;

export interface ResidentArrays {
  /** Weights and optimizer state. */
  trained: readonly HostTensor[];
  /** What programs hand to each other. */
  between: readonly HostTensor[];
  /** The arrays of a micro-batch, by name. */
  batch: ReadonlyMap<string, HostTensor>;
}

export class StepDevice {
  readonly residence: Residence;
  readonly #staged = new Map<TrainBatch, Promise<ReadonlyMap<string, Staged>[]>>();

  constructor(
    readonly memory: DeviceMemory,
    readonly arrays: ResidentArrays,
  ) {
    this.residence = new Residence(memory, arrays.trained);
    memory.keep(this.#others);
  }

  get #others(): HostTensor[] {
    return [...this.arrays.between, ...this.arrays.batch.values()];
  }

  /** Copies a batch to the device; `feed` finds it there. */
  async stage(batch: TrainBatch, parts: readonly BatchParts[]): Promise<void> {
    let staged = this.#staged.get(batch);
    if (!staged) {
      staged = Promise.all(parts.map((part) => this.#upload(part)));
      this.#staged.set(batch, staged);
    }
    await staged;
  }

  async #upload(part: BatchParts): Promise<ReadonlyMap<string, Staged>> {
    const staged = new Map<string, Staged>();
    const uploads = [...part].map(async ([name, data]) => {
      const tensor = this.arrays.batch.get(name)!;
      staged.set(name, await this.memory.stage(tensor, data));
    });
    try {
      await Promise.all(uploads);
    } catch (error) {
      await Promise.allSettled(uploads);
      staged.forEach((numbers) => numbers.discard());
      throw error;
    }
    return staged;
  }

  /** Makes a micro-batch what programs read. */
  async feed(batch: TrainBatch, microBatch: number, parts: () => readonly BatchParts[]): Promise<void> {
    if (!this.#staged.has(batch)) await this.stage(batch, parts());
    const staged = await this.#staged.get(batch)!;
    for (const [name, numbers] of staged[microBatch])
      this.memory.place(this.arrays.batch.get(name)!, numbers);
    if (microBatch === staged.length - 1) this.#staged.delete(batch);
  }

  pull(tensors: Iterable<HostTensor>): Promise<void> {
    return this.memory.pull(tensors);
  }

  /** Everything, for a closer look at what went wrong. */
  async pullAll(): Promise<void> {
    await this.residence.pull();
    await this.memory.pull(this.#others);
  }

  close(): void {
    for (const staged of this.#staged.values())
      void staged.then(
        (parts) => parts.forEach((part) => part.forEach((numbers) => numbers.discard())),
        () => {},
      );
    this.residence.close();
    this.memory.release(this.#others);
  }
}
