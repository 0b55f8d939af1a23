// Attention of one query over a few keys is written otherwise than the rest: both must be the same function.
import * as tf from '../../../registry/tf.js';
import { attention } from '../../../modules/nn/attention.js';
import { evaluate, expectClose, noise, recordingEngine, withGradients } from '../../support/oracle.js';

describe('attention', () => {
  it('of one query over a few keys is the general one', async () => {
    const inputs = { q: noise([5, 1, 12], 'q'), k: noise([5, 3, 12], 'k'), v: noise([5, 3, 12], 'v') };
    // A bias, even of zeros, takes the general way.
    const computed = (biased: boolean) =>
      evaluate(
        recordingEngine,
        inputs,
        withGradients(({ q, k, v }) => {
          const bias = biased ? tf.zeros([1, 1, 1, 3]) : undefined;
          return attention(q as tf.Tensor3D, k as tf.Tensor3D, v as tf.Tensor3D, 4, bias);
        }),
      );
    const short = await computed(false);
    const general = await computed(true);
    for (const name of ['output0', 'd_q', 'd_k', 'd_v'])
      expectClose(short[name].data, general[name].data, 1e-5, name);
  });
});
