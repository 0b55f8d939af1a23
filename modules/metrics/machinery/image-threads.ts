// Threads for a metric that takes long: each image is a job of its own. The metric's owner waits for room before the next
// image, so no more than AHEAD images for each thread are kept in memory, however long the split is.
import { ThreadPool } from '../../support/threads.js';

/** One that is worked on, and one that the thread continues with while the owner is busy. */
const AHEAD = 2;

export class ImageThreads<Image, Result> {
  readonly #pool: ThreadPool<Image, Result>;
  readonly #open = new Set<Promise<unknown>>();

  /**
   * Threads start with the first images.
   * @param data `workerData` of the script, which calls `serve`
   */
  constructor(
    script: URL,
    private readonly threads: number,
    data: unknown,
  ) {
    this.#pool = new ThreadPool(script, threads, data);
  }

  /** Images that have come and are not done. */
  get open(): number {
    return this.#open.size;
  }

  run(image: Image): Promise<Result> {
    const result = this.#pool.run(image);
    const done = result.then(
      () => void this.#open.delete(done),
      () => void this.#open.delete(done),
    );
    this.#open.add(done);
    return result;
  }

  /** Resolves when the next image may come. */
  async room(): Promise<void> {
    while (this.#open.size >= AHEAD * this.threads) await Promise.race(this.#open);
  }

  /** Ends the threads; images that are not done are rejected. */
  close(): Promise<void> {
    return this.#pool.close();
  }
}
