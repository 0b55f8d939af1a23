// The account of a run's seconds: phases by the clock, trials by their events.
import { expect } from 'chai';
import { setTimeout } from 'node:timers/promises';
import { Stopwatch, type Part } from '../../../runners/app/timings.js';
import { timingsText } from '../../../runners/cli/timings.js';
import type { WorkEvent } from '../../../runners/training/work.js';

describe('timings', () => {
  const of = (row: string, event: object) => ({ row, seed: 0, ...event }) as WorkEvent;
  const trial = (row: string) => [
    of(row, { event: 'compiled', recordSeconds: 0.001, sessionSeconds: 0.002 }),
    of(row, { event: 'epoch', seconds: 0.007, waited: 0.003 }),
    of(row, { event: 'epoch', seconds: 0.007, waited: 0.003 }),
    of(row, { event: 'evaluated', seconds: 0.005 }),
  ];

  it('are phases by the clock, and parts of trials that run at the same time', async () => {
    const watch = new Stopwatch();
    await setTimeout(20);
    watch.over('checking');
    for (const row of ['a', 'b']) watch.see(of(row, { event: 'started' }));
    for (const row of ['a', 'b']) trial(row).forEach((event) => watch.see(event));
    await setTimeout(60);
    watch.see(of('a', { event: 'finished' }));
    watch.see(of('b', { event: 'interrupted' }));
    watch.over('training');
    const { phases, trials, count } = watch.read();
    expect(phases.map(({ what }) => what)).to.deep.equal(['checking', 'training']);
    expect(phases[0].seconds).to.be.above(0.015);
    expect(count).to.equal(2);
    const seconds = Object.fromEntries(trials.map(({ what, seconds }) => [what, seconds])) as Record<
      Part,
      number
    >;
    expect(seconds['recording graphs']).to.be.closeTo(0.002, 1e-9);
    expect(seconds['making sessions']).to.be.closeTo(0.004, 1e-9);
    expect(seconds['waiting for data']).to.be.closeTo(0.012, 1e-9);
    expect(seconds.steps).to.be.closeTo(0.016, 1e-9);
    expect(seconds.evaluation).to.be.closeTo(0.01, 1e-9);
    // Each took 60 ms and told of 22.
    const together = trials.reduce((sum, part) => sum + part.seconds, 0);
    expect(together).to.be.within(0.11, 2 * phases[1].seconds + 1e-6);
  });

  it('are printed with shares; without trials, only the phases', () => {
    const watch = new Stopwatch();
    watch.over('report');
    expect(timingsText(watch.read()))
      .to.match(/report .* 100\n/)
      .and.not.include('added up');
    watch.see(of('a', { event: 'started' }));
    trial('a').forEach((event) => watch.see(event));
    expect(timingsText(watch.read())).to.match(/1 trial, added up/);
  });
});
