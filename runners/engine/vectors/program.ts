// A function of vectors as one pass over memory: WebAssembly (kernel.ts) on all threads (work.ts). The vectors lie in a
// memory that the threads share:
//
//   scalars of each part | sums of squares of each block | vector | vector | ...
//
// onnxruntime reads and writes the same memory, so nothing is copied.
import { Worker } from 'node:worker_threads';
import { Memory, Module } from '../../../modules/support/wasm/api.js';
import { MtcpError } from '../../../registry/errors.js';
import type { ProgramStats, VectorOptions, VectorProgram } from '../engine.js';
import type { Graph, Value } from '../graph/ir.js';
import { kernelOf } from './kernel.js';
import {
  blocksOf,
  COUNTERS,
  DONE,
  FAILED,
  GENERATION,
  JOB,
  NEXT,
  UPDATE,
  worker,
  type Assignment,
} from './work.js';

/**
 * Numbers from which on several threads work on a vector. Below, which takes one thread some milliseconds, a second core
 * that turns out to be busy would cost more than a free one gains.
 */
export const SHARED_FROM = 1 << 22;
const PAGE = 1 << 16;
/** 4 GiB: WebAssembly's addresses have 32 bits. */
const MOST_PAGES = 1 << 16;
/** Vectors begin at different lines of a cache, which has few places for lines of the same number. */
const SKEW = 17 * 64;
/** Milliseconds after which a thread that waits for others looks whether one has failed. */
const PATIENCE = 1000;

export class SharedVectors implements VectorProgram {
  readonly vectors: ReadonlyMap<string, Float32Array>;
  readonly #threads: Worker[] = [];
  readonly #work: () => void;
  readonly #names: readonly string[];
  readonly #scalars: readonly { name: string; values: Float32Array }[];
  readonly #sums: Float64Array;

  private constructor(
    readonly stats: ProgramStats,
    readonly assignment: Assignment,
    readonly wanted: number,
    { length, vectors, scalars, parts }: VectorOptions,
  ) {
    const { memory, blocks } = assignment;
    this.#names = vectors;
    this.vectors = new Map(
      vectors.map((name, i) => [name, new Float32Array(memory.buffer, assignment.vectors[i], length)]),
    );
    this.#scalars = scalars.map((name, i) => ({
      name,
      values: new Float32Array(memory.buffer, 0, parts.length * scalars.length).subarray(i),
    }));
    this.#sums = new Float64Array(memory.buffer, assignment.sums, blocks.length);
    this.#work = worker(assignment);
  }

  /**
   * @param threads that work on long vectors, the caller's included
   * @returns undefined if the function is not computed number by number, or the vectors do not fit into one memory
   */
  static create(
    graph: Graph,
    outputs: ReadonlyMap<string, Value>,
    options: VectorOptions,
    threads: number,
    recordSeconds = 0,
  ): SharedVectors | undefined {
    const started = performance.now();
    const { length, vectors, scalars, parts } = options;
    const blocks = blocksOf(parts, length);
    const sums = aligned(4 * scalars.length * parts.length);
    const first = aligned(sums + 8 * blocks.length);
    const addresses = vectors.map((_, i) => first + i * (aligned(4 * length) + SKEW));
    const pages = Math.ceil((addresses.at(-1)! + 4 * length) / PAGE);
    const kernel = kernelOf(graph, outputs, {
      length,
      pages,
      vector: (name) => addresses[vectors.indexOf(name)],
      scalar: (name) => 4 * scalars.indexOf(name),
    });
    const memory = kernel && allocate(pages);
    if (!memory) return undefined;
    const bytes = kernel.toBytes();
    const counters = new Int32Array(new SharedArrayBuffer(4 * COUNTERS));
    // Nothing to be done yet.
    counters[NEXT] = blocks.length;
    const assignment: Assignment = {
      module: new Module(bytes),
      memory,
      counters,
      blocks,
      scalars: 4 * scalars.length,
      vectors: addresses,
      sums,
    };
    const stats: ProgramStats = {
      recordSeconds,
      sessionSeconds: (performance.now() - started) / 1000,
      nodes: graph.reachable([...outputs.values()]).length,
      bytes: bytes.length,
      flops: 0,
      peakBytes: 0,
      writtenBytes: 0,
      parts: 1,
    };
    return new SharedVectors(stats, assignment, length < SHARED_FROM ? 1 : threads, options);
  }

  run(scalars: readonly Readonly<Record<string, number>>[]): void {
    const { length } = this.#scalars;
    for (const { name, values } of this.#scalars)
      for (const [part, numbers] of scalars.entries()) values[part * length] = numbers[name];
    this.#runAll(UPDATE);
  }

  sumOfSquares(vector: string): number {
    this.#runAll(this.#names.indexOf(vector));
    return this.#sums.reduce((sum, part) => sum + part, 0);
  }

  /** Returns when every block is done; blocks, as the caller's thread does its part of the work. */
  #runAll(job: number): void {
    const { counters, blocks } = this.assignment;
    while (this.#threads.length < this.wanted - 1) this.#threads.push(this.#start());
    counters[JOB] = job;
    counters[DONE] = 0;
    Atomics.store(counters, NEXT, 0);
    Atomics.add(counters, GENERATION, 1);
    Atomics.notify(counters, GENERATION);
    this.#work();
    for (let done; (done = Atomics.load(counters, DONE)) < blocks.length;) {
      Atomics.wait(counters, DONE, done, PATIENCE);
      if (Atomics.load(counters, FAILED) !== 0)
        throw new MtcpError('engine', 'a thread of the optimizer stopped in the middle of an update');
    }
  }

  #start(): Worker {
    // Threads run a file, which this flag of `node --eval` forbids.
    const execArgv = process.execArgv.filter((flag) => !flag.startsWith('--input-type'));
    const thread = new Worker(new URL('./thread.js', import.meta.url), {
      workerData: this.assignment,
      execArgv,
    });
    // The failure is told by the counters.
    thread.on('error', () => {});
    thread.unref();
    return thread;
  }

  close(): void {
    for (const thread of this.#threads) void thread.terminate();
    this.#threads.length = 0;
  }
}

/** The next multiple of a cache line. */
const aligned = (bytes: number): number => Math.ceil(bytes / 64) * 64;

/** Undefined if there is no memory of that size, or no more addresses in this process for one. */
function allocate(pages: number): Memory | undefined {
  if (pages > MOST_PAGES) return undefined;
  try {
    return new Memory({ initial: pages, maximum: pages, shared: true });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
