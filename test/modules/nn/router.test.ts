// The balance of MLoRE's experts: shares that are exactly equal are ordinary (one expert of two, half of the time each).
import { expect } from 'chai';
import * as tf from '../../../registry/tf.js';
import { squaredVariation } from '../../../modules/nn/router.js';
import { evaluate, recordingEngine, withGradients } from '../../support/oracle.js';

const variation = (shares: number[]) =>
  evaluate(
    recordingEngine,
    { shares: { data: Float32Array.from(shares), shape: [shares.length] } },
    withGradients((inputs) => squaredVariation(inputs.shares as tf.Tensor)),
  );

describe('the balance of experts', () => {
  it('is the squared coefficient of variation', async () => {
    const { output0 } = await variation([0.1, 0.3, 0.6]);
    // mean 1/3, unbiased variance 0.19 / 3
    expect(output0.data[0]).to.be.closeTo(0.57, 1e-5);
  });

  it('has a gradient of 0 where all shares are equal', async () => {
    const { output0, d_shares: gradient } = await variation([0.5, 0.5]);
    expect([output0.data[0], ...gradient.data].map(Math.abs)).to.deep.equal([0, 0, 0]);
  });
});
