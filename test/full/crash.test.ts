// Kills a run at random moments, many times, and lets it go on: in the end metrics, events, weights and pictures
// are those of an undisturbed run. The moments are drawn from a seed, which the title names.
import { expect } from 'chai';
import { randomStream } from '../../registry/random.js';
import { expectSameRun, mtcp, smallExperiment } from '../support/crash.js';
import { temporaryFolder } from '../support/rooms.js';

const RUNS = 5;
const MOST_KILLS = 12;
const SEED = process.env.MTCP_CRASH_SEED ?? '0';

describe(`runs killed at random moments (seed ${SEED})`, function () {
  this.timeout(3_600_000);
  const file = smallExperiment();
  const args = (runs: string) => [
    'run',
    file,
    '--profile',
    'smoke',
    'train.epochs=6',
    '--runs',
    runs,
    '--json',
  ];
  const undisturbed = temporaryFolder();

  before(async () => {
    const { code, stderr } = await mtcp(args(undisturbed));
    expect(code, stderr).to.equal(0);
  });

  for (let run = 0; run < RUNS; run++)
    it(`run ${run + 1} ends like an undisturbed one`, async () => {
      const random = randomStream('crash', SEED, run);
      const runs = temporaryFolder();
      let kills = 0;
      for (;;) {
        // After some event, and a moment later: between events, while files are written.
        let left = kills < MOST_KILLS ? 1 + random.integer(12) : Infinity;
        const delay = random.uniform() < 0.5 ? 0 : random.uniform() * 60;
        const { code, signal, stderr } = await mtcp(args(runs), {
          each: () => (--left === 0 ? 'SIGKILL' : undefined),
          delay,
        });
        if (signal === 'SIGKILL') kills++;
        else {
          expect(code, stderr).to.equal(0);
          break;
        }
      }
      expect(kills).to.be.above(2);
      expectSameRun(runs, undisturbed);
    });
});
