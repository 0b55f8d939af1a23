// Residual blocks with binary 3x3 convolutions, as Bi-MTDP's networks are made of. Every binary convolution has a
// real-valued shortcut around it; 1x1 convolutions that change the width stay real.
import * as tf from '../../registry/tf.js';
import type { Scope } from '../../registry/index.js';
import { constant, kaimingFanOut, zeros } from './initializers.js';
import { batchNorm } from './layers.js';
import { binaryActivation, binaryWeight } from './ops/binarize.js';
import { conv2d } from './ops/convolution.js';
import { convNorm } from './residual.js';

/**
 * sign(x - shift) convolved with binary weights; 3x3, same size.
 * @param x [batch, height, width, channels]
 * @returns [batch, height, width, out]
 */
export function binaryConv(scope: Scope, x: tf.Tensor4D, out: number): tf.Tensor4D {
  const channels = x.shape[3];
  const shift = scope.param<tf.Rank.R1>('shift', [channels], zeros);
  const weight = scope.param<tf.Rank.R4>('weight', [out, channels, 3, 3], kaimingFanOut);
  return conv2d(binaryActivation(x.sub(shift)), binaryWeight(weight), {
    stride: [1, 1],
    padding: [1, 1, 1, 1],
    dilation: [1, 1],
    groups: 1,
  });
}

/** x where positive, slope * x elsewhere, a slope for each channel. */
function prelu(scope: Scope, x: tf.Tensor4D): tf.Tensor4D {
  const slope = scope.param<tf.Rank.R1>('weight', [x.shape[3]], constant(0.25));
  return tf.prelu<tf.Tensor>(x, slope) as tf.Tensor4D;
}

/**
 * Norm, sign, binary convolution, real-valued shortcut, PReLU.
 * @param x [batch, height, width, channels]
 * @returns [batch, height, width, out]
 */
export function binaryBlock(scope: Scope, x: tf.Tensor4D, out: number): tf.Tensor4D {
  const real =
    x.shape[3] === out ? x : convNorm(scope, ['shortcut.conv', 'shortcut.norm'], x, out, { kernel: 1 });
  const mixed = binaryConv(scope.at('conv'), batchNorm(scope.at('norm'), x), out);
  return prelu(scope.at('prelu'), batchNorm(scope.at('norm_out'), mixed).add(real));
}

/** `count` binary blocks: [batch, height, width, channels] to [batch, height, width, out]. */
export function binaryBlocks(scope: Scope, x: tf.Tensor4D, out: number, count: number): tf.Tensor4D {
  for (let i = 0; i < count; i++) x = binaryBlock(scope.at(`${i}`), x, out);
  return x;
}
