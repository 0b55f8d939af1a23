// Schedules against torch's schedulers, step by step.
import '../../../modules/index.js';
import { expect } from 'chai';
import { createTrialContainer, type Slot } from '../../../registry/container.js';
import { readJson } from '../../reference/fixtures.js';

const { epochs, stepsPerEpoch, cases } = readJson('schedules.json') as {
  epochs: number;
  stepsPerEpoch: number;
  cases: Record<string, { schedule: Slot; factors: number[] }>;
};
const factors = (slot: Slot) => {
  const schedule = createTrialContainer([]).create('schedule', slot);
  return Array.from({ length: epochs * stepsPerEpoch }, (_, step) =>
    schedule.factor({ epoch: Math.floor(step / stepsPerEpoch), epochs, step, stepsPerEpoch }),
  );
};

describe('schedules against torch', () => {
  for (const [name, { schedule, factors: expected }] of Object.entries(cases))
    it(name, () => {
      const found = factors(schedule);
      expect(found).to.have.length(expected.length);
      expected.forEach((factor, step) => expect(found[step], `step ${step}`).to.be.closeTo(factor, 1e-9));
    });

  it('a warm-up rises linearly from the first step on', () => {
    for (const type of ['cosine', 'step']) {
      // Quarters are exact.
      const [plain, warm] = [factors({ type }), factors({ type, warmup: 3 })];
      expect(warm.slice(0, 3)).to.deep.equal(plain.slice(0, 3).map((factor, i) => (factor * (i + 1)) / 4));
      expect(warm.slice(3)).to.deep.equal(plain.slice(3));
    }
  });

  it('one cycle over a run of a single step, or with a rise of less than one, stays finite', () => {
    const schedule = createTrialContainer([]).create('schedule', { type: 'one_cycle' });
    for (const steps of [1, 2, 3])
      for (let step = 0; step < steps; step++)
        expect(schedule.factor({ epoch: 0, epochs: 1, step, stepsPerEpoch: steps })).to.be.within(0, 1);
  });

  it('shares of a step schedule have to rise', () => {
    expect(() => createTrialContainer([]).create('schedule', { type: 'step', at: [0.8, 0.6] })).to.throw(
      /at\[1\] is not larger/,
    );
  });
});
