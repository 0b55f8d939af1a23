// Recomputation: what `body` computes is computed again even if the same values exist already. A recorded
// graph would otherwise share them and keep them in memory from the forward to the backward pass. An engine whose
// compiler orders the computation decides that itself, and holds inner values whole.
import * as tf from '../../../registry/tf.js';
import type { Recomputing } from '../../../registry/contracts/operations.js';

/** What `body` computes, computed again even where the same values exist already. */
export function recomputed<T>(body: () => T): T {
  const backend = tf.backend() as Partial<Recomputing>;
  return backend.recomputed ? backend.recomputed(body) : body();
}

/** Whether the engine asks for large inner values whole, instead of some rows at a time. */
export const holdsWhole = (): boolean => (tf.backend() as Partial<Recomputing>).holdsWhole ?? false;
