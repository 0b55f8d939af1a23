// What becomes of a micro-batch's gradients and statistics: they are added to those of the micro-batches before, and
// at the end of the step they change weights and running statistics. On the host (host-applier.ts), or on the device
// that keeps the arrays (device-applier.ts).
import type { Exchange } from './exchange.js';
import type { Update } from './update.js';

/** What the network observed of the buffers in a micro-batch, by name. */
export type Observed = Readonly<Record<string, Float32Array>>;

export interface Applier {
  /** What computes new weights and a new optimizer state. */
  readonly update: Pick<Update, 'stats' | 'isProgram'>;
  /** What the network observed in this process's last micro-batch; empty where `fold` finds it on the device. */
  observed(): Observed | Promise<Observed>;
  /**
   * Takes in the gradient of this process's last micro-batch, and what the network observed in the micro-batches of the
   * round.
   * @param round counts from 0
   * @param observed of each process, in their order
   */
  fold(round: number, observed: readonly Observed[]): void | Promise<void>;
  /** Makes the gradient that of all processes, after the last round. */
  share(exchange: Exchange): Promise<void>;
  /**
   * @param step counts from 1
   * @param clip largest norm of the gradient; null leaves it as it is
   * @returns the norm of the gradient before clipping, if it was needed
   */
  apply(step: number, rate: number, clip: number | null): Promise<number | undefined>;
  close(): void;
}
