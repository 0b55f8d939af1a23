// Which activations a network may keep between its forward and its backward pass. This setting of a trial changes
// memory and time, not results. Layers with large intermediate maps read it from their scope.

export interface MemoryPolicy {
  /** Softmax affinities between all positions of a map: a tile of queries at a time, or whole. */
  readonly affinity: 'tiled' | 'full';
  /**
   * Inner maps computed a second time in the backward pass instead of being kept: those that are large (auto), all
   * that layers can compute again, or none.
   */
  readonly recompute: 'auto' | 'always' | 'never';
}

export const DEFAULT_MEMORY: MemoryPolicy = { affinity: 'tiled', recompute: 'auto' };

/** Inner maps from this many bytes on count as large. */
const LARGE = 7e6;

/** Bytes from which on a value is computed again rather than kept. */
export function recomputedFrom(recompute: MemoryPolicy['recompute']): number {
  return { auto: LARGE, always: 1, never: Infinity }[recompute];
}

/** @param numbers of the inner map, in float32 */
export function recomputes({ recompute }: MemoryPolicy, numbers: number): boolean {
  return numbers * 4 >= recomputedFrom(recompute);
}
