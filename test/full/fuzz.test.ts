// The long run over damaged files: MTCP_FUZZ_MINUTES (10 if not set), from the seed MTCP_FUZZ_SEED (the time if not
// set), shared out to all readers. Its figures are printed.
import { expect } from 'chai';
import { fuzz } from '../support/fuzz/run.js';
import { TARGETS } from '../support/fuzz/targets.js';

const minutes = Number(process.env.MTCP_FUZZ_MINUTES ?? 10);
const seed = Number(process.env.MTCP_FUZZ_SEED ?? Date.now() % 1e9);

describe(`damaged files, ${minutes} minutes, seed ${seed}`, () => {
  const entries = Object.entries(TARGETS);
  const share = (minutes * 60_000) / entries.length;
  for (const [name, target] of entries)
    it(name, async () => {
      const end = performance.now() + share;
      const figures = await fuzz(name, target, seed, () => performance.now() > end);
      const { files, refused, accepted, faults } = figures;
      process.stdout.write(
        `      ${files} files, ${refused} refused, ${accepted} accepted, ${faults.length} faults\n`,
      );
      expect(faults).to.deep.equal([]);
    });
});
