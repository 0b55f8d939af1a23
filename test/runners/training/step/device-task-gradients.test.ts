// Products of gradients in float32, as a device adds them up. What becomes of them is in device.test.ts.
import { expect } from 'chai';
import { randomStream } from '../../../../registry/random.js';
import { sumOf } from '../../../../runners/training/step/device-task-gradients.js';
import type * as tf from '../../../../registry/tf.js';
import { evaluate, xlaEngines } from '../../../support/oracle.js';
import { requireXla } from '../../../support/xla/plugin.js';

describe('a sum of many numbers on a device', function () {
  this.timeout(60_000);

  before(function () {
    requireXla(this);
  });

  // Added up one after the other, millions of numbers would be off by ten times as much.
  for (const length of [1, 1024, 1025, 3_000_017])
    it(`of ${length} is exact to float32's rounding`, async () => {
      const random = randomStream('sum', length);
      const data = Float32Array.from({ length }, () => random.uniform() ** 2);
      const expected = data.reduce((sum, x) => sum + x, 0);
      const { sum } = await evaluate(xlaEngines()[0], { x: { shape: [length], data } }, ({ x }) => ({
        sum: sumOf(x as tf.Tensor1D),
      }));
      expect(Math.abs(sum.data[0] / expected - 1)).to.be.below(2e-6);
    });
});
