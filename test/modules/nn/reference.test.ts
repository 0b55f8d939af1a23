// Layers and operations against PyTorch: outputs, gradients of inputs and parameters, running statistics.
import * as tf from '../../../registry/tf.js';
import { cbam } from '../../../modules/nn/cbam.js';
import { deformableAttention } from '../../../modules/nn/deformable.js';
import { batchNorm, conv2d, groupNorm, layerNorm } from '../../../modules/nn/layers.js';
import { gelu } from '../../../modules/nn/ops/activations.js';
import { softmaxAffinity } from '../../../modules/nn/ops/affinity.js';
import { sinePositions } from '../../../modules/nn/position.js';
import { resizeBilinear, resizeNearest } from '../../../modules/nn/resize.js';
import { patchMerging, swinBlock } from '../../../modules/nn/swin.js';
import { expectPart, has, setting, stored } from '../../support/parts.js';

const flat = (x: tf.Tensor): tf.Tensor3D => x.reshape([x.shape[0], -1, x.shape[3]!]) as tf.Tensor3D;

describe('layers against PyTorch', () => {
  it('layer norm', () => expectPart('layer_norm', ['input'], (scope, { input }) => layerNorm(scope, input)));
  it('gelu', () => expectPart('gelu', ['input'], (_, { input }) => gelu(input)));
  it('batch norm', () => expectPart('batch_norm', ['input'], (scope, { input }) => batchNorm(scope, input)));
  it('batch norm, evaluation', () =>
    expectPart('batch_norm_evaluation', ['input'], (scope, { input }) => batchNorm(scope, input), {
      evaluation: true,
    }));
  it('group norm', () =>
    expectPart('group_norm', ['input'], (scope, { input }) =>
      groupNorm(scope, input as tf.Tensor4D, setting('group_norm', 'groups')),
    ));

  for (const name of [
    'conv1x1',
    'conv3x3',
    'conv7x7',
    'conv3x3_stride2',
    'conv3x3_dilation2',
    'conv4x4_stride4',
  ])
    it(name, () => {
      const [out, , kernel] = stored(name, 'weight').shape;
      const [stride, padding, dilation] = ['stride', 'padding', 'dilation'].map((key) =>
        setting<number>(name, key),
      );
      const options = { kernel, stride, padding, dilation, bias: has(name, 'bias') };
      return expectPart(name, ['input'], (scope, { input }) =>
        conv2d(scope, input as tf.Tensor4D, out, options),
      );
    });

  for (const mode of ['centres', 'corners'])
    for (const size of ['up', 'double', 'down', 'mixed', 'one']) {
      const name = `bilinear_${size}_${mode}`;
      it(name, () =>
        expectPart(name, ['input'], (_, { input }) =>
          resizeBilinear(input as tf.Tensor4D, setting(name, 'size'), mode === 'corners'),
        ),
      );
    }
  for (const size of ['up', 'double', 'down', 'mixed', 'one']) {
    const name = `nearest_${size}`;
    it(name, () =>
      expectPart(name, ['input'], (_, { input }) =>
        resizeNearest(input as tf.Tensor4D, setting(name, 'size')),
      ),
    );
  }

  for (const name of [
    'swin_block',
    'swin_block_shifted',
    'swin_block_shifted_exact',
    'swin_block_shifted_small',
  ])
    it(name, () =>
      expectPart(name, ['input'], (scope, { input }) =>
        swinBlock(scope, input as tf.Tensor4D, {
          heads: setting(name, 'heads'),
          window: setting(name, 'window'),
          shift: setting(name, 'shift'),
          mlpRatio: 4,
        }),
      ),
    );
  it('patch merging', () =>
    expectPart('patch_merging', ['input'], (scope, { input }) => patchMerging(scope, input as tf.Tensor4D)));
  it('sine positions', () =>
    expectPart('sine_position', [], () => sinePositions(5, 7, 12).reshape([1, 5, 7, 12])));
  it('cbam', () => expectPart('cbam', ['input'], (scope, { input }) => cbam(scope, input as tf.Tensor4D)));
  it('cbam, 1x1', () =>
    expectPart('cbam_pointwise', ['input'], (scope, { input }) =>
      cbam(scope, input as tf.Tensor4D, { kernel: 1 }),
    ));
  it('affinity', () =>
    expectPart('affinity', ['query', 'key', 'values'], (_, { query, key, values }) =>
      softmaxAffinity(flat(query), flat(key), flat(values)).reshape(values.shape),
    ));
  it('deformable attention', () => {
    const shapes = setting<[number, number][]>('deformable_attention', 'shapes');
    const references = Float32Array.from(
      shapes.flatMap(([h, w]) =>
        Array.from({ length: h * w }, (_, i) => [((i % w) + 0.5) / w, (Math.floor(i / w) + 0.5) / h]).flat(),
      ),
    );
    return expectPart('deformable_attention', ['input', 'position'], (scope, { input, position }) =>
      deformableAttention(scope, input.add(position) as tf.Tensor3D, input as tf.Tensor3D, references, {
        heads: setting('deformable_attention', 'heads'),
        points: setting('deformable_attention', 'points'),
        levels: shapes,
      }),
    );
  });
});
