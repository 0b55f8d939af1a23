// Sums of gradients and running statistics in arrays of the host; the optimizer's program works on the same arrays.
import type { HostTensor } from '../../engine/ort/session.js';
import type { Applier } from './applier.js';
import type { Update } from './update.js';
import type { Weights } from './weights.js';

export interface HostApplierSetup {
  update: Update;
  weights: Weights;
  microBatches: number;
  /** Momentum of every buffer that is averaged. */
  momenta: ReadonlyMap<string, number>;
  /** What the network observed of a buffer in the last micro-batch. */
  observed(buffer: string): HostTensor;
}

export class HostApplier implements Applier {
  /** Sum of the gradients of the micro-batches before the current one; only where there are several. */
  readonly #sum: Float32Array | undefined;
  /** BatchNorm's running statistics as they will be when the step is applied. */
  readonly #statistics = new Map<string, Float32Array>();

  constructor(readonly setup: HostApplierSetup) {
    if (setup.microBatches > 1) this.#sum = new Float32Array(this.#gradient.length);
  }

  get update() {
    return this.setup.update;
  }

  get #gradient(): Float32Array {
    return this.setup.update.vectors.gradient.data;
  }

  fold(microBatch: number): void {
    const { weights, microBatches, momenta, observed } = this.setup;
    for (const [name, momentum] of momenta) {
      if (microBatch === 0) this.#statistics.set(name, Float32Array.from(weights.buffers.get(name)!.data));
      const running = this.#statistics.get(name)!;
      const { data } = observed(name);
      for (let i = 0; i < running.length; i++) running[i] = (1 - momentum) * running[i] + momentum * data[i];
    }
    const sum = this.#sum;
    if (!sum) return;
    const data = this.#gradient;
    if (microBatch === 0) sum.set(data);
    else if (microBatch < microBatches - 1) for (let i = 0; i < sum.length; i++) sum[i] += data[i];
    else for (let i = 0; i < sum.length; i++) data[i] = (sum[i] + data[i]) / microBatches;
  }

  async apply(step: number, rate: number, clip: number | null): Promise<number | undefined> {
    const norm = await this.setup.update.run(step, rate, clip);
    for (const [name, values] of this.#statistics) this.setup.weights.buffers.get(name)!.data.set(values);
    return norm;
  }

  close(): void {
    this.setup.update.close();
  }
}
