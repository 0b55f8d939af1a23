// BatchNorm's running statistics as they will be when a step is applied: each micro-batch changes them, one after the
// other.
import type { HostTensor } from '../../engine/ort/session.js';
import type { Observed } from './applier.js';

export class RunningStatistics {
  readonly #values = new Map<string, Float32Array>();

  /** @param momenta of every buffer that is averaged */
  constructor(readonly momenta: ReadonlyMap<string, number>) {}

  /** Begins a step with the buffers as they are. */
  begin(buffers: ReadonlyMap<string, HostTensor>): void {
    for (const name of this.momenta.keys())
      this.#values.set(name, Float32Array.from(buffers.get(name)!.data));
  }

  add(observed: Observed): void {
    for (const [name, momentum] of this.momenta) {
      const running = this.#values.get(name)!;
      const data = observed[name];
      for (let i = 0; i < running.length; i++) running[i] = (1 - momentum) * running[i] + momentum * data[i];
    }
  }

  /** Writes them into the buffers. */
  write(buffers: ReadonlyMap<string, HostTensor>): void {
    for (const [name, values] of this.#values) buffers.get(name)!.data.set(values);
  }
}
