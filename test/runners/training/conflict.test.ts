// Short training runs on a problem whose tasks want different things of one shared channel: what each scheme claims
// about losses of different scales and tasks of different pace, held against what happens.
import { expect } from 'chai';
import type { Slot } from '../../../registry/container.js';
import { disturbance, train } from '../../support/conflict.js';

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

describe('conflicting tasks', () => {
  let equal: number;
  before(async () => {
    equal = await disturbance({ type: 'equal' });
  });

  it("equal weighting: one task's loss times 100 takes over", async () => {
    expect(equal).to.be.above(1.2);
    const [plain, scaled] = [await train({ type: 'equal' }, 1), await train({ type: 'equal' }, 100)];
    expect(scaled.errors.far).to.be.above(2 * plain.errors.far);
    expect(scaled.errors.near).to.be.below(0.01 * plain.errors.near);
  });

  // What of the disturbance under equal weighting is left.
  const ROBUST: [string, Slot, number][] = [
    ['the projection of losses to a common scale', { type: 'log' }, 0.25],
    ['LPS', { type: 'lps' }, 0.25],
    ['LPS, nothing spread', { type: 'lps', spread: 1 }, 0.25],
    ['a product of losses', { type: 'gls' }, 0.001],
    ['losses relative to their nadir', { type: 'stch', warmup: 1 }, 0.001],
    ['gaps relative to base losses', { type: 'igb' }, 0.05],
    ['equal paces of log losses', { type: 'famo' }, 0.25],
    ['log losses and balanced gradients', { type: 'db_mtl' }, 0.001],
    ['equal projections', { type: 'imtl_g' }, 0.1],
    ['bargaining', { type: 'nash_mtl' }, 0.25],
    ['aligned principal components', { type: 'aligned_mtl' }, 0.25],
    ['balanced lengths of gradients', { type: 'gradnorm', rate: 1 }, 0.5],
    [
      'both sides of IMTL',
      { type: 'compose', weights: { type: 'imtl_l' }, gradients: { type: 'imtl_g' } },
      0.2,
    ],
    ['LPS and CAGrad', { type: 'compose', weights: { type: 'lps' }, gradients: { type: 'cagrad' } }, 0.6],
  ];
  for (const [claim, slot, left] of ROBUST)
    it(`${slot.type}: ${claim} undoes the factor`, async () => {
      expect(Math.abs(await disturbance(slot)) / equal).to.be.below(left);
    });

  // Learnt weights need time to learn a factor of 100.
  for (const type of ['uncertainty', 'revised_uncertainty', 'imtl_l'])
    it(`${type}: learnt weights find the factor, and the other task trains`, async () => {
      const { steps } = await train({ type, rate: 0.3 }, 100, 7);
      const ratio = ({ raw, weights }: (typeof steps)[0]) =>
        (raw.near * weights.near) / (raw.far * weights.far);
      expect(ratio(steps[0])).to.be.above(50);
      expect(ratio(steps.at(-1)!)).to.be.within(1 / 8, 8);
      expect(steps.at(-1)!.raw.far).to.be.below(0.5 * steps[0].raw.far);
    });

  for (const type of ['lps', 'prioritization', 'dwa', 'lsb_approx'])
    it(`${type}: the task that falls more slowly gets the larger weight`, async () => {
      const { steps } = await train({ type }, 1);
      const epochs = Array.from({ length: 8 }, (_, e) => steps.slice(10 * e, 10 * e + 10));
      const loss = (e: number, task: string) =>
        mean(epochs[e].map(({ raw, projected }) => (type === 'lps' ? projected : raw)[task]));
      const pace = (e: number, task: string) => loss(e, task) / loss(e - 1, task);
      for (let e = 1; e < 7; e++) {
        const weights = epochs[e + 1][0].weights;
        const scale = (task: string) =>
          type === 'lsb_approx' ? weights[task] * loss(e, task) : weights[task];
        expect(Math.sign(scale('near') - scale('far')), `epoch ${e}`).to.equal(
          Math.sign(pace(e, 'near') - pace(e, 'far')),
        );
      }
    });

  it('dtp: the task that does worse gets the larger weight', async () => {
    const { steps } = await train({ type: 'dtp', measure: 'loss' }, 1);
    const last = steps.slice(-10);
    const worse = mean(last.map(({ raw }) => raw.near - raw.far)) > 0 ? 'near' : 'far';
    const better = worse === 'near' ? 'far' : 'near';
    expect(last[0].weights[worse]).to.be.above(last[0].weights[better]);
  });

  it('a larger spread separates the weights', async () => {
    const spread = async (kappa: number) => {
      const { steps } = await train({ type: 'lps', spread: kappa, min_weight: null }, 1, 3);
      return Math.abs(steps[20].weights.near - steps[20].weights.far);
    };
    const [one, two] = [await spread(1), await spread(2)];
    // Until the weights differ for the first time, training is the same.
    expect(two / one).to.be.closeTo(2, 1e-6);
  });

  it('rlw: weights are drawn at every step, sum to 1 and favour no task', async () => {
    const { steps } = await train({ type: 'rlw' }, 1);
    const near = steps.map(({ weights }) => weights.near);
    expect(mean(near)).to.be.within(0.4, 0.6);
    expect(new Set(near).size).to.equal(steps.length);
    for (const { weights } of steps) expect(weights.near + weights.far).to.be.closeTo(1, 1e-12);
  });

  for (const type of ['mgda', 'pcgrad', 'cagrad', 'gradvac'])
    it(`${type}: both tasks go on improving where they conflict`, async () => {
      const { steps } = await train({ type, shared: 'all' }, 1);
      expect(Math.min(...steps.map(({ cosines }) => cosines['near/far']))).to.be.below(-0.2);
      for (const task of ['near', 'far'])
        expect(steps.at(-1)!.raw[task]).to.be.below(0.75 * steps[0].raw[task]);
    });
});
