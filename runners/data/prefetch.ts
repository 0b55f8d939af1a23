// How many batches are made ahead of the one that training works on. Every thread has one in hand; more than that costs
// memory and helps only where some batches take longer than others. So a loader begins with one batch to spare, and
// takes one more whenever training had to wait although a later batch was already done.

/** Memory that the batches ahead may take, unless the threads alone need more. */
const MOST_BYTES = 2 ** 30;
/** Batches to spare, for each thread. */
const MOST_SPARE = 4;
/** Milliseconds that count as having waited. */
const NOTICEABLE = 1;

export class Prefetch {
  #spare: number;
  /** Of the largest batch. */
  #bytes = 1;
  /** Batches that are done and have not been asked for. */
  #done = 0;

  /** @param workers threads that make batches; 0: the thread that asks for them */
  constructor(private readonly workers: number) {
    this.#spare = workers === 0 ? 0 : 1;
  }

  /** How many are being made or waiting, the next one included. */
  get batches(): number {
    const fitting = Math.floor(MOST_BYTES / this.#bytes);
    return Math.max(1, Math.min(this.workers + this.#spare, Math.max(this.workers, fitting)));
  }

  /** Counts a batch from when it is done until it is asked for. */
  started(batch: Promise<unknown>): void {
    batch.then(
      () => this.#done++,
      () => {},
    );
  }

  /**
   * Waits for the next batch, and learns from it.
   *
   * @param bytesOf the memory of a batch
   */
  async next<Batch>(batch: Promise<Batch>, bytesOf: (batch: Batch) => number): Promise<Batch> {
    const asked = performance.now();
    const made = await batch;
    this.#done--;
    this.#bytes = Math.max(this.#bytes, bytesOf(made));
    const waited = performance.now() - asked > NOTICEABLE;
    if (waited && this.#done > 0) this.#spare = Math.min(this.#spare + 1, MOST_SPARE * this.workers);
    return made;
  }
}
