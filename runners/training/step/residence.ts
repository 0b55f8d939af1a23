// Arrays whose current numbers may be on a device. Whoever reads or writes them on the host says so here, and learns
// if the host's numbers are old instead of getting them.
import type { DeviceMemory } from '../../engine/device-memory.js';
import type { HostTensor } from '../../engine/ort/session.js';

export class Residence {
  #isBehind = false;

  constructor(
    readonly memory: DeviceMemory,
    readonly tensors: readonly HostTensor[],
  ) {
    memory.keep(tensors);
  }

  /** Programs have written the device's copies. */
  advance(): void {
    this.#isBehind = true;
  }

  /** The host is about to read. */
  read(): void {
    if (this.#isBehind) throw new Error("the device's numbers are newer: await pull() of the step first");
  }

  /** The host is about to change something; the device takes everything over before its next run. */
  write(): void {
    this.read();
    this.memory.changed(this.tensors);
  }

  /** The host is about to write everything. */
  overwrite(): void {
    this.#isBehind = false;
    this.memory.changed(this.tensors);
  }

  async pull(): Promise<void> {
    if (!this.#isBehind) return;
    await this.memory.pull(this.tensors);
    this.#isBehind = false;
  }

  close(): void {
    this.memory.release(this.tensors);
  }
}
