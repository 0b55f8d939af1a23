// Work on vectors that several threads share: it is cut into blocks, and each thread takes the next block that nobody has
// taken until none is left. Who computes a block makes no difference to its result, so a thread that is late, or busy
// elsewhere, costs time but changes nothing.
//
// The counters lie in memory that the threads share:
//
//   GENERATION  number of runs so far; sleeping threads wait for it to change
//   JOB         what to do with a block: UPDATE, or the number of the vector whose squares are added up
//   NEXT        the first block that nobody has taken
//   DONE        how many blocks are finished

import { Instance, type Memory, type Module } from '../../../modules/support/wasm/api.js';

/** Numbers in a block: a hundred microseconds of work, so that threads end at nearly the same time. */
export const BLOCK = 1 << 16;

export const [GENERATION, JOB, NEXT, DONE, FAILED, COUNTERS] = [0, 1, 2, 3, 4, 5];
export const UPDATE = -1;

export interface Block {
  /** In numbers. */
  start: number;
  end: number;
  /** The part it belongs to, which has its own scalars. */
  part: number;
}

/** All that a thread must know; it can be sent to one. */
export interface Assignment {
  module: Module;
  memory: Memory;
  counters: Int32Array;
  blocks: readonly Block[];
  /** Bytes of a part's scalars. */
  scalars: number;
  /** The address of each vector. */
  vectors: readonly number[];
  /** The address of the sums of squares, one of double precision for each block. */
  sums: number;
}

interface Kernel {
  run(from: number, to: number, scalars: number): void;
  squares(from: number, to: number): number;
}

/** @returns a function that works on blocks until none is left */
export function worker({ module, memory, counters, blocks, ...at }: Assignment): () => void {
  const kernel = new Instance(module, { env: { memory } }).exports as unknown as Kernel;
  const sums = new Float64Array(memory.buffer, at.sums, blocks.length);
  return () => {
    for (;;) {
      const i = Atomics.add(counters, NEXT, 1);
      if (i >= blocks.length) return;
      const { start, end, part } = blocks[i];
      // The job cannot change while a block of it is unfinished.
      const job = counters[JOB];
      if (job === UPDATE) kernel.run(4 * start, 4 * end, part * at.scalars);
      else sums[i] = kernel.squares(at.vectors[job] + 4 * start, at.vectors[job] + 4 * end);
      if (Atomics.add(counters, DONE, 1) + 1 === blocks.length) Atomics.notify(counters, DONE);
    }
  };
}

/** Parts, each from its start to the next one's, cut into blocks. */
export function blocksOf(starts: readonly number[], length: number): Block[] {
  return starts.flatMap((start, part) => {
    const end = starts[part + 1] ?? length;
    return Array.from({ length: Math.ceil((end - start) / BLOCK) }, (_, i) => ({
      start: start + i * BLOCK,
      end: Math.min(start + (i + 1) * BLOCK, end),
      part,
    }));
  });
}
