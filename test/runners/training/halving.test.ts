// Successive halving: who survives a rung, and whole searches that end trials early.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { runExperiment } from '../../../runners/app/run.js';
import { standing, survives } from '../../../runners/training/halving.js';
import { DEPTH_ONLY, experimentFile, temporaryFolder } from '../../support/rooms.js';

describe('successive halving', () => {
  it('ranks a score among those at its rung; without a score a trial is last', () => {
    expect(standing(2, [1, 3, null])).to.deep.equal({ rank: 2, of: 4 });
    expect(standing(null, [1, null])).to.deep.equal({ rank: 2, of: 3 });
    expect(standing(1, [])).to.deep.equal({ rank: 1, of: 1 });
    expect(standing(1, [1])).to.deep.equal({ rank: 2, of: 2 });
  });

  it('one of so many survives, and the best one always', () => {
    const kept = (of: number) => [...Array(of).keys()].filter((i) => survives(i + 1, of, 3)).length;
    expect([1, 2, 3, 5, 6, 9].map(kept)).to.deep.equal([1, 1, 1, 1, 2, 3]);
  });

  it('ends trials of a search early, for good, and goes on where it was interrupted', async function () {
    this.timeout(400_000);
    const file = experimentFile(`rows: { depth: ${DEPTH_ONLY.replace(/ }$/, ', train: { epochs: 3 } }')} }
sweep:
  search:
    type: asha
    over: { optimizer.rate: { from: 1e-12, to: 1e-3, log: true } }
    objective: depth.RMSE
    trials: 4
    reduction: 2
`);
    const runs = temporaryFolder();
    let done = 0;
    const options = { profile: 'smoke', runs, jobs: 1 };
    const cut = await runExperiment(file, {
      ...options,
      observe: ({ event }) => (done += Number(event === 'finished')),
      stopRequested: () => done >= 3,
    });
    expect(cut.interrupted).to.equal(true);
    const search = join(cut.folder, 'search');
    const proposed = readdirSync(search, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\d{4}\.json$/.test(name))
      .map((name) => [join(search, name), readFileSync(join(search, name), 'utf8')] as const);
    expect(proposed.length).to.be.at.least(3);
    const whole = await runExperiment(file, options);
    expect(whole.failed).to.deep.equal([]);
    const rows = whole.report.json.rows;
    expect(rows.map(({ state }) => state)).to.deep.equal(Array(5).fill('done'));
    for (const [name, text] of proposed) expect(readFileSync(name, 'utf8'), name).to.equal(text);
    const section = whole.report.sections.find(({ id }) => id === 'search')!;
    const epochs = section.rows.map((row) => Number(row.at(-2)));
    expect(Math.max(...epochs)).to.equal(3);
    expect(epochs.filter((count) => count < 3)).not.to.deep.equal([]);
    // Done is done: nothing is trained or proposed again.
    let trained = 0;
    await runExperiment(file, { ...options, observe: ({ event }) => (trained += Number(event === 'step')) });
    expect(trained).to.equal(0);
  });
});
