// Random files: the result is trials, or faults with positions, never a crash. The long version is test/full/yaml-
// fuzz.test.ts.
import { expect } from 'chai';
import { fuzzYaml } from '../../support/fuzz/yaml.js';

describe('any text', () => {
  it('gives trials or located faults', function () {
    this.timeout(120_000);
    const { files, valid, faults } = fuzzYaml(1, (files) => files === 400);
    expect(faults).to.deep.equal([]);
    expect(files).to.equal(400);
    // Some changes change nothing that matters; most do.
    expect(valid).to.be.within(1, 200);
  });
});
