// How threads share the parts of a run, without the event loop: a part begins some microseconds after the one before,
// and the system sees a thread that computes without a break. All they share is an array of integers: how many parts
// have ended, and how many others each part still has to wait for.

/** What has to be done before a part, by number. */
export interface Waiting {
  readonly waits: readonly number[];
}

export interface Turns {
  /** For each part those that wait for it. */
  readers: readonly (readonly number[])[];
  /** See newTurns. */
  state: Int32Array;
  /** How many threads take turns. */
  threads: number;
}

/** Integers of a run. Behind them is one for each part: how many others it has to wait for, or CLAIMED. */
const STATE = {
  /** Changes whenever a part has ended. */
  event: 0,
  /** Parts that have ended. */
  done: 1,
  failed: 2,
  /** Threads that have left the run. */
  left: 3,
  length: 4,
} as const;

const CLAIMED = -1;

/** Milliseconds that a thread looks for a part before it sleeps. */
const LOOKING = 0.05;

/** Memory that the threads of a run share. */
export function newTurns(parts: readonly Waiting[]): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4 * (STATE.length + parts.length)));
}

/** Prepares for a run; while it is under way nobody may. */
export function startTurns(state: Int32Array, parts: readonly Waiting[]): void {
  state.fill(0);
  parts.forEach(({ waits }, part) => (state[STATE.length + part] = waits.length));
}

/** For each part those that wait for it. */
export function readersOf(parts: readonly Waiting[]): number[][] {
  const readers = parts.map(() => [] as number[]);
  parts.forEach(({ waits }, part) => waits.forEach((earlier) => readers[earlier].push(part)));
  return readers;
}

/**
 * Each thread of a run calls this once. It computes parts whose turn has come until all are done or one failed.
 *
 * @param compute computes the part of this number; false if it failed
 * @returns whether this thread is the last one to leave the run
 */
export function takeTurns({ readers, state, threads }: Turns, compute: (part: number) => boolean): boolean {
  for (;;) {
    // Read before the question whether there is anything left: a part that ends after it was asked wakes the thread.
    const event = Atomics.load(state, STATE.event);
    if (Atomics.load(state, STATE.failed) !== 0 || Atomics.load(state, STATE.done) === readers.length) break;
    const part = claim(state, readers.length);
    if (part === undefined) {
      awaitChange(state, event);
      continue;
    }
    if (compute(part)) for (const reader of readers[part]) Atomics.sub(state, STATE.length + reader, 1);
    else Atomics.store(state, STATE.failed, 1);
    Atomics.add(state, STATE.done, 1);
    Atomics.add(state, STATE.event, 1);
    Atomics.notify(state, STATE.event);
  }
  return Atomics.add(state, STATE.left, 1) === threads - 1;
}

/** Takes the first part that nobody has and that waits for nothing. */
function claim(state: Int32Array, parts: number): number | undefined {
  for (let part = 0; part < parts; part++)
    if (Atomics.compareExchange(state, STATE.length + part, 0, CLAIMED) === 0) return part;
  return undefined;
}

/** Waits until a part has ended that had not when `event` was read. */
function awaitChange(state: Int32Array, event: number): void {
  const until = performance.now() + LOOKING;
  while (performance.now() < until) if (Atomics.load(state, STATE.event) !== event) return;
  Atomics.wait(state, STATE.event, event);
}
