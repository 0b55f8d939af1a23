// Batches that the loader returns, and how samples become a batch.
import type { Sample } from '../../registry/contracts/data.js';

export type LabelBatch = Int32Array | Float32Array;

export interface TrainBatch {
  ids: readonly string[];
  /** [B,H,W,3], normalised. */
  image: Float32Array;
  /** By `batch` of its kind int32 [B,H,W] or float32 [B,H,W,c]. */
  labels: Record<string, LabelBatch>;
}

export interface EvaluationBatch {
  /** One for each of the `count` samples; the rest of the batch repeats the last image. */
  ids: readonly string[];
  count: number;
  /** [B,H,W,3], normalised, always a full batch. */
  image: Float32Array;
  /**
   * The samples as stored, unknown pixels set to IGNORE: what predictions are scored against. Read only,
   * their memory may be the loader's cache.
   */
  raw: readonly Sample[];
}

/** The images of one batch, in order; the last one is repeated up to `size`. */
export function stackImages(samples: readonly Sample[], size: number): Float32Array {
  const length = samples[0].image.data.length;
  const out = new Float32Array(size * length);
  for (let i = 0; i < size; i++) out.set(samples[Math.min(i, samples.length - 1)].image.data, i * length);
  return out;
}
