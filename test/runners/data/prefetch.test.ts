// How far ahead batches are made: further where some take longer than others, and not where all of them are late.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { Prefetch } from '../../../runners/data/prefetch.js';

const LATE = 10;
const small = () => 1;

describe('prefetch', () => {
  it('begins with a batch to spare, and with none where one thread does everything', () => {
    expect([0, 1, 3].map((workers) => new Prefetch(workers).batches)).to.deep.equal([1, 2, 4]);
  });

  it('goes further if training waits for a batch while a later one is done, up to a limit', async () => {
    const prefetch = new Prefetch(2);
    for (let i = 0; i < 12; i++) {
      const [late, done] = [sleep(LATE), Promise.resolve()];
      for (const batch of [late, done]) prefetch.started(batch);
      await prefetch.next(late, small);
      await prefetch.next(done, small);
    }
    expect(prefetch.batches).to.equal(2 + 8);
  });

  it('stays where it is if no batch is done, or none is waited for', async () => {
    const prefetch = new Prefetch(2);
    for (let i = 0; i < 5; i++) {
      const late = sleep(LATE);
      prefetch.started(late);
      await prefetch.next(late, small);
    }
    const all = Array.from({ length: 5 }, () => Promise.resolve());
    for (const batch of all) prefetch.started(batch);
    await sleep(1);
    for (const batch of all) await prefetch.next(batch, small);
    expect(prefetch.batches).to.equal(3);
  });

  it('batches that failed are not counted as done', async () => {
    const prefetch = new Prefetch(2);
    const failed = Promise.reject(new Error('damaged'));
    prefetch.started(failed);
    await failed.catch(() => {});
    const late = sleep(LATE);
    prefetch.started(late);
    await prefetch.next(late, small);
    expect(prefetch.batches).to.equal(3);
  });

  it('takes a gigabyte at most, unless the threads alone need more', async () => {
    const batches = async (workers: number, bytes: number) => {
      const prefetch = new Prefetch(workers);
      const made = Promise.resolve();
      prefetch.started(made);
      await prefetch.next(made, () => bytes);
      return prefetch.batches;
    };
    expect(await batches(3, 2 ** 28)).to.equal(4);
    expect(await batches(3, 2 ** 29)).to.equal(3);
    expect(await batches(1, 2 ** 29)).to.equal(2);
    expect(await batches(1, 2 ** 31)).to.equal(1);
  });
});
