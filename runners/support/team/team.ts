// Processes that work on one thing in step, each connected to every other (meeting.ts). Process 0 leads: it tells the
// others what comes next. Results that all of them need go from each to each, and long vectors are added up by all
// together: every process adds one part of the vector, which the others send it, and sends the sum back. That is twice
// (N - 1) / N of the vector out of and into each of N processes, whatever their number.
import { asError, plainError, type PlainError } from './errors.js';
import { FRAME, type Link } from './link.js';

/** Numbers that are added at a time, while others arrive and leave. */
const CHUNK = FRAME / 4;
/** Parts of a vector begin at multiples of a cache line. */
const ALIGN = 16;

type Said = { value: unknown } | { error: PlainError };

export class Team {
  /** Whether the work is done, or was given up: from then on processes may leave. */
  #isOver = false;
  readonly #others: readonly (readonly [index: number, link: Link])[];
  /** Parts of the others. */
  #scratch = new Float32Array(0);

  /**
   * @param index of this process, from 0
   * @param of how many there are
   * @param links to the others, by their index
   */
  constructor(
    readonly index: number,
    readonly of: number,
    readonly links: ReadonlyMap<number, Link>,
  ) {
    this.#others = [...links].sort(([a], [b]) => a - b);
    // Whoever has lost one lets the rest know.
    for (const link of links.values()) link.onLost((fault) => this.abort(fault));
  }

  /** What a process is called in messages. */
  nameOf(index: number): string {
    return this.links.get(index)?.who ?? `process ${index}`;
  }

  /** Tells every other process. */
  tell(message: unknown): void {
    for (const [, link] of this.#others) link.send(message);
  }

  /** What process 0 tells next. */
  told(): Promise<unknown> {
    return this.links.get(0)!.receive();
  }

  /** Sends numbers to every other process. */
  async tellNumbers(numbers: Float32Array): Promise<void> {
    await Promise.all(this.#others.map(([, link]) => link.sendNumbers(numbers)));
  }

  /** Reads numbers that process 0 tells. */
  toldNumbers(into: Float32Array): Promise<void> {
    return this.links.get(0)!.receiveNumbers(into);
  }

  /**
   * What each process made, in their order.
   * @throws what `own` throws, or what it threw in another process: of several the first, in every process
   */
  async gather<T>(own: () => Promise<T>): Promise<readonly T[]> {
    let thrown: unknown;
    const said: Said = await own().then(
      (value) => ({ value }),
      (error: unknown) => {
        thrown = error;
        return { error: plainError(error) };
      },
    );
    this.tell(said);
    const all: Said[] = [];
    const theirs = await Promise.all(this.#others.map(([, link]) => link.receive() as Promise<Said>));
    this.#others.forEach(([index], i) => (all[index] = theirs[i]));
    all[this.index] = said;
    return all.map((each, index) => {
      if ('value' in each) return each.value as T;
      throw index === this.index ? thrown : asError(each.error, this.nameOf(index));
    });
  }

  /**
   * Replaces the vector by the sum of every process's vector over `count`, to the same bits everywhere. It adds in the
   * order of the processes, in float32, as one process would that has all of the vectors.
   */
  async mean(vector: Float32Array, count: number): Promise<void> {
    const parts = partsOf(vector, this.of);
    const own = parts[this.index];
    const sent = this.#others.map(([index, link]) => link.sendNumbers(parts[index]));
    const size = Math.min(own.length, CHUNK);
    if (this.#scratch.length < size * (this.of - 1)) this.#scratch = new Float32Array(size * (this.of - 1));
    for (let at = 0; at < own.length; at += CHUNK) {
      const sum = own.subarray(at, at + CHUNK);
      const arrived = this.#others.map((_, i) => this.#scratch.subarray(i * size, i * size + sum.length));
      await Promise.all(this.#others.map(([, link], i) => link.receiveNumbers(arrived[i])));
      addInOrder(sum, arrived, this.index, count);
      for (const [, link] of this.#others) sent.push(link.sendNumbers(sum));
    }
    await Promise.all(this.#others.map(([index, link]) => link.receiveNumbers(parts[index])));
    await Promise.all(sent);
  }

  /** Bytes of vectors that went out of this process and came in. */
  get moved(): { sent: number; received: number } {
    return this.#others.reduce(
      (sum, [, { moved }]) => ({ sent: sum.sent + moved.sent, received: sum.received + moved.received }),
      { sent: 0, received: 0 },
    );
  }

  /** Ends the work of all processes, and tells the others why. */
  abort(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const [, link] of this.#others) link.abort(error);
  }

  /** The last thing that process 0 does, when it has told the others that the work is done. */
  async dismiss(): Promise<void> {
    await Promise.all(this.#others.map(([, link]) => link.receive()));
    this.#isOver = true;
    this.#close();
  }

  /** The last thing that any other process does: nobody leaves before everybody knows that the work is done. */
  async leave(): Promise<void> {
    this.#isOver = true;
    const leader = this.links.get(0)!;
    leader.send('bye');
    await new Promise<void>((resolve) => leader.onLost(() => resolve()));
    this.#close();
  }

  #close(): void {
    for (const [, link] of this.#others) link.close();
  }
}

/** A part of the vector for each process. */
function partsOf(vector: Float32Array, of: number): Float32Array[] {
  const size = Math.ceil(vector.length / of / ALIGN) * ALIGN;
  return Array.from({ length: of }, (_, i) => vector.subarray(i * size, Math.max(i * size, (i + 1) * size)));
}

/**
 * Adds up in the order of the processes, of which this one is number `index`; the last sum is rounded once, when it is
 * divided.
 */
function addInOrder(own: Float32Array, others: readonly Float32Array[], index: number, count: number): void {
  const all = [...others.slice(0, index), own, ...others.slice(index)];
  const [first, ...rest] = all;
  const last = rest.pop()!;
  for (let i = 0; i < own.length; i++) {
    let sum = first[i];
    for (const each of rest) sum = Math.fround(sum + each[i]);
    own[i] = (sum + last[i]) / count;
  }
}
