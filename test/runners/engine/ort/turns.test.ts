// Threads that share the parts of a run: every part once, after those that it waits for, and no run without an end.
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { newTurns, readersOf, startTurns, takeTurns } from '../../../../runners/engine/ort/turns.js';

const TURNS = new URL('../../../../runners/engine/ort/turns.js', import.meta.url).href;
const THREADS = 4;
const SECONDS = 2;

/** Two chains that meet, and one part that stands alone. */
const PARTS = [[], [], [0], [1], [2, 3], []].map((waits) => ({ waits }));

/** Runs rounds until told to stop; threads begin and end each round together. */
const THREAD = `
import { workerData } from 'node:worker_threads';
const { turns, state, parts, threads, round, computed } = workerData;
const { takeTurns, readersOf, startTurns } = await import(turns);
const readers = readersOf(parts);
for (let seen = 0; ; ) {
  Atomics.wait(round, 0, seen);
  seen = Atomics.load(round, 0);
  if (seen < 0) break;
  const last = takeTurns({ readers, state, threads }, (part) => {
    for (const earlier of parts[part].waits)
      if (Atomics.load(computed, earlier) !== seen) Atomics.store(round, 2, 1);
    if (Atomics.exchange(computed, part, seen) === seen) Atomics.store(round, 2, 1);
    return true;
  });
  if (!last) continue;
  startTurns(state, parts);
  Atomics.store(round, 1, seen);
  if (Date.now() > workerData.until) Atomics.store(round, 0, -1);
  else Atomics.add(round, 0, 1);
  Atomics.notify(round, 0);
}
`;

describe('turns of threads', () => {
  it('a thread alone computes all parts in order', () => {
    const state = newTurns(PARTS);
    startTurns(state, PARTS);
    const order: number[] = [];
    const last = takeTurns({ readers: readersOf(PARTS), state, threads: 1 }, (part) => order.push(part) > 0);
    expect(last).to.equal(true);
    expect(order).to.deep.equal([0, 1, 2, 3, 4, 5]);
  });

  it('after a failure nothing else begins', () => {
    const state = newTurns(PARTS);
    startTurns(state, PARTS);
    const order: number[] = [];
    const turns = { readers: readersOf(PARTS), state, threads: 2 };
    const compute = (part: number) => order.push(part) < 3;
    expect(takeTurns(turns, compute)).to.equal(false);
    expect(takeTurns(turns, compute)).to.equal(true);
    expect(order).to.deep.equal([0, 1, 2]);
  });

  it('many runs of parts of no length: each one ends', async function () {
    this.timeout(60_000);
    const state = newTurns(PARTS);
    startTurns(state, PARTS);
    /** The round, the last one that ended, whether something was computed twice or too early. */
    const round = new Int32Array(new SharedArrayBuffer(12));
    const computed = new Int32Array(new SharedArrayBuffer(4 * PARTS.length));
    const until = Date.now() + SECONDS * 1000;
    const workerData = { turns: TURNS, state, parts: PARTS, threads: THREADS, round, computed, until };
    const workers = Array.from(
      { length: THREADS },
      () => new Worker(THREAD, { eval: true, execArgv: ['--input-type=module'], workerData }),
    );
    const ended = Promise.all(
      workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve))),
    );
    Atomics.store(round, 0, 1);
    Atomics.notify(round, 0);
    const limit = new Promise((resolve) => setTimeout(resolve, 30_000, 'stuck').unref());
    const outcome = await Promise.race([ended, limit]);
    await Promise.all(workers.map((worker) => worker.terminate()));
    expect(outcome, `round ${round[1] + 1} does not end`).not.to.equal('stuck');
    expect(round[1]).to.be.above(100);
    expect(round[2], 'computed twice or too early').to.equal(0);
  });
});
