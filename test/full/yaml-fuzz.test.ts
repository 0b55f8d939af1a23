// The long run over experiment files changed at random: MTCP_FUZZ_MINUTES (10 if not set), from the seed MTCP_FUZZ_SEED
// (the time if not set). Its figures are printed.
import { expect } from 'chai';
import { fuzzYaml } from '../support/fuzz/yaml.js';

const minutes = Number(process.env.MTCP_FUZZ_MINUTES ?? 10);
const seed = Number(process.env.MTCP_FUZZ_SEED ?? Date.now() % 1e9);

describe(`experiment files, ${minutes} minutes, seed ${seed}`, () => {
  it('give trials or located faults, soon', () => {
    const end = performance.now() + minutes * 60_000;
    const { files, valid, slow, faults } = fuzzYaml(seed, () => performance.now() > end);
    process.stdout.write(`      ${files} files, ${valid} valid, ${slow} slow, ${faults.length} faults\n`);
    expect(faults).to.deep.equal([]);
  });
});
