// Losses against PyTorch, with unknown pixels and with nothing but unknown pixels.
import '../../../modules/index.js';
import type * as tf from '@tensorflow/tfjs';
import { createTrialContainer } from '../../../registry/container.js';
import { expectPart } from '../../support/parts.js';

const CASES: [fixture: string, type: string, options: object][] = [
  ['cross_entropy', 'cross_entropy', {}],
  ['depth_l1', 'l1_depth', {}],
  ['depth_l1_truncated', 'l1_depth', { max_depth: 6.5535 }],
  ['normals_l1', 'normals', {}],
  ['normals_mse', 'normals', { distance: 'mse', normalize: false }],
];

describe('losses against PyTorch', () => {
  for (const [fixture, type, options] of CASES)
    for (const suffix of ['', '_none_valid'])
      it(`${fixture}${suffix}`, () => {
        const loss = createTrialContainer([]).create('loss', { type, ...options });
        return expectPart(
          fixture + suffix,
          ['prediction'],
          (_, { prediction, label }) =>
            loss.forward(prediction as tf.Tensor4D, label, { name: 't', kind: 'depth', channels: 1 }).value,
          { labels: ['label'] },
        );
      });
});
