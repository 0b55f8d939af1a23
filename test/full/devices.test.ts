// Shipped rows, at smoke size with batches of 4, on 1, 2 and 4 devices of XLA's CPU plugin: one training step. XLA's compiler
// takes minutes for a row.
import { join } from 'node:path';
import { expect } from 'chai';
import { openExperiment } from '../../runners/config/open.js';
import { createEngine } from '../../runners/engine/index.js';
import type { Engine } from '../../runners/engine/engine.js';
import { xlaPlugin } from '../support/oracle.js';
import { firstStep, gradientDistance, lossDistance, openStep } from '../support/parity.js';
import { ROOT } from '../support/rooms.js';
import { requireXla } from '../support/xla/plugin.js';

/** BatchNorm; LayerNorm; dropout; tasks stacked along the batch, and scattered sums. */
const ROWS = [
  ['table1', 'STL ResNet depth'],
  ['table3', 'STL depth, as released'],
  ['beyond', 'ATRC'],
  ['table3', 'MT-CP'],
] as const;

describe('two and four devices beside one', function () {
  this.timeout(3_600_000);

  before(function () {
    requireXla(this);
  });

  for (const [name, row] of ROWS)
    it(`${name}: ${row}`, async () => {
      const file = join(ROOT, 'experiments', `${name}.yaml`);
      const options = { profile: 'smoke', seeds: [0], rows: [row], overrides: ['train.batch=4'] };
      const [trial] = openExperiment(file, options).trials;
      const stepOn = async (engine: Engine, moved?: string) => {
        const step = await openStep(trial, engine);
        try {
          return await firstStep(trial, step, moved);
        } finally {
          step.close();
        }
      };
      const among = async (devices: number, ...moved: string[]) => {
        const engine = await createEngine({ type: 'xla', plugin: xlaPlugin!, devices }, 2);
        try {
          const first = await stepOn(engine);
          const others = [];
          for (const how of moved) others.push((await stepOn(engine, how)).gradients);
          return { ...first, others };
        } finally {
          engine.close();
        }
      };
      const one = await among(1, 'one way', 'another way');
      for (const devices of [2, 4]) {
        const several = await among(devices);
        const losses = lossDistance(several.losses, one.losses);
        const { whole, own, worst } = gradientDistance(several.gradients, one.gradients, one.others);
        console.log(
          `    ${name}: ${row} on ${devices}: losses ${losses.toExponential(1)}, gradients ${whole.toExponential(1)} (float32 itself ${own.toExponential(1)}), at most ${worst.times.toFixed(1)} times that in ${worst.name}`,
        );
        expect(losses).to.be.below(1e-5);
        expect(whole).to.be.below(10 * own);
        expect(worst.times, worst.name).to.be.below(30);
        // AdamW's first step is the sign of the gradient where that is next to nothing.
        expect(lossDistance(several.after, one.after)).to.be.below(5e-3);
      }
    });
});
