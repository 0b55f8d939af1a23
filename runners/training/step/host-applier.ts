// Sums of gradients and running statistics in arrays of the host; the optimizer's program works on the same arrays.
import type { HostTensor } from '../../engine/ort/session.js';
import type { Applier, Observed } from './applier.js';
import type { Exchange } from './exchange.js';
import { RunningStatistics } from './running-statistics.js';
import type { Update } from './update.js';
import type { Weights } from './weights.js';

export interface HostApplierSetup {
  update: Update;
  weights: Weights;
  /** Of a step, in all processes. */
  microBatches: number;
  /** That share them. */
  processes: number;
  /** Momentum of every buffer that is averaged. */
  momenta: ReadonlyMap<string, number>;
  /** What the network observed of a buffer in the last micro-batch. */
  observed(buffer: string): HostTensor;
}

export class HostApplier implements Applier {
  /** Micro-batches of this process. */
  readonly #rounds: number;
  /** Sum of the gradients of the micro-batches before the current one; only where there are several. */
  readonly #sum: Float32Array | undefined;
  readonly #statistics: RunningStatistics;

  constructor(readonly setup: HostApplierSetup) {
    this.#rounds = setup.microBatches / setup.processes;
    if (this.#rounds > 1) this.#sum = new Float32Array(this.#gradient.length);
    this.#statistics = new RunningStatistics(setup.momenta);
  }

  get update() {
    return this.setup.update;
  }

  get #gradient(): Float32Array {
    return this.setup.update.vectors.gradient.data;
  }

  observed(): Observed {
    const { momenta, observed } = this.setup;
    const names = [...momenta.keys()];
    return Object.fromEntries(names.map((name) => [name, observed(name).data as Float32Array]));
  }

  fold(round: number, observed: readonly Observed[]): void {
    if (round === 0) this.#statistics.begin(this.setup.weights.buffers);
    for (const each of observed) this.#statistics.add(each);
    const sum = this.#sum;
    if (!sum) return;
    const data = this.#gradient;
    // The sum of several processes is divided when it is whole.
    const count = this.setup.processes > 1 ? 1 : this.#rounds;
    if (round === 0) sum.set(data);
    else if (round < this.#rounds - 1) for (let i = 0; i < sum.length; i++) sum[i] += data[i];
    else for (let i = 0; i < sum.length; i++) data[i] = (sum[i] + data[i]) / count;
  }

  share(exchange: Exchange): Promise<void> {
    return exchange.mean(this.#gradient, this.setup.microBatches);
  }

  async apply(step: number, rate: number, clip: number | null): Promise<number | undefined> {
    const norm = await this.setup.update.run(step, rate, clip);
    this.#statistics.write(this.setup.weights.buffers);
    return norm;
  }

  close(): void {
    this.setup.update.close();
  }
}
