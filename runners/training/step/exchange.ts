// The processes that share a training step. The micro-batches of a step are dealt out to them in turn: of N processes,
// process r takes the micro-batches r, r + N, r + 2N, ... So the N micro-batches of a round are computed at the same
// time, and everything whose order matters (running statistics, the state of a scheme) goes through them in the order
// of one process.

export interface Exchange {
  /** Number of this process, from 0. */
  readonly index: number;
  /** How many processes share the step. */
  readonly of: number;
  /**
   * What each process made, in the order of the processes. It travels as plain data with typed arrays.
   * @throws what `own` throws, or what it threw in another process; then in every process
   */
  gather<T>(own: () => Promise<T>): Promise<readonly T[]>;
  /**
   * Replaces the vector by the sum of every process's vector over `count`, to the same bits everywhere. With two
   * processes or more, it adds in their order, as one process adds its micro-batches.
   */
  mean(vector: Float32Array, count: number): Promise<void>;
}

/** One process. */
export const ALONE: Exchange = {
  index: 0,
  of: 1,
  gather: async (own) => [await own()],
  mean: () => Promise.reject(new Error('one process has nothing to exchange')),
};
