// Images at worker threads: how many at a time, and what becomes of errors.
import { expect } from 'chai';
import { ImageThreads } from '../../../../modules/metrics/machinery/image-threads.js';

const WORKER = new URL('./sleepy-worker.js', import.meta.url);
const start = (threads: number) => new ImageThreads<{ value: number }, number>(WORKER, threads, null);

describe('threads for images', () => {
  it('have no more than two images each, if their owner waits for room', async () => {
    const threads = start(2);
    const results: Promise<number>[] = [];
    let most = 0;
    for (let i = 0; i < 40; i++) {
      results.push(threads.run({ value: i * i }));
      most = Math.max(most, threads.open);
      await threads.room();
      expect(threads.open).to.be.below(4);
    }
    // They do work on several at a time.
    expect(most).to.equal(4);
    expect(await Promise.all(results)).to.deep.equal(Array.from({ length: 40 }, (_, i) => i));
    expect(threads.open).to.equal(0);
    await threads.close();
  });

  it('go on after an error, which makes room as well', async () => {
    const threads = start(1);
    const failing = [-1, -2].map((value) => threads.run({ value }));
    const errors = failing.map((each) => each.catch((error: Error) => error.message));
    await threads.room();
    expect(await Promise.all(errors)).to.deep.equal(['no root of -1', 'no root of -2']);
    expect(await threads.run({ value: 9 })).to.equal(3);
    await threads.close();
  });

  it('reject what they are closed in the middle of', async () => {
    const threads = start(1);
    const outcome = threads.run({ value: 4 }).catch((error: Error) => error.message);
    await threads.close();
    expect(await outcome).to.contain('closed while there was work left');
    await threads.room();
  });
});
