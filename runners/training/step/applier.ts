// What becomes of a micro-batch's gradients and statistics: they are added to those of the micro-batches before, and
// at the end of the step they change weights and running statistics. On the host (host-applier.ts), or on the device
// that keeps the arrays (device-applier.ts).
import type { Update } from './update.js';

export interface Applier {
  /** What computes new weights and a new optimizer state. */
  readonly update: Pick<Update, 'stats' | 'isProgram'>;
  /** Takes in what the network left behind for one micro-batch. */
  fold(microBatch: number): void | Promise<void>;
  /**
   * @param step counts from 1
   * @param clip largest norm of the gradient; null leaves it as it is
   * @returns the norm of the gradient before clipping, if it was needed
   */
  apply(step: number, rate: number, clip: number | null): Promise<number | undefined>;
  close(): void;
}
