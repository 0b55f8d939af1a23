// Readers of files that were damaged: refused with a sentence or read, never a crash, never for long, and never
// something else than was written where a checksum says so. test/full has the long run.
import { expect } from 'chai';
import { fuzz } from '../../support/fuzz/run.js';
import { TARGETS } from '../../support/fuzz/targets.js';

const FILES = 60;

describe('damaged files', function () {
  this.timeout(60_000);
  for (const [name, target] of Object.entries(TARGETS))
    it(`${name}: ${FILES} of them`, async () => {
      const { faults, files, refused, accepted } = await fuzz(name, target, 1, (done) => done >= FILES);
      expect(faults).to.deep.equal([]);
      expect(refused + accepted).to.equal(files);
      // A reader that takes everything reads nothing.
      if (!target.total) expect(refused).to.be.greaterThan(FILES / 10);
    });
});
