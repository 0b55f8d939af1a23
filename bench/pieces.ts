// mtcp's side of the parts that are timed, one for each in python/pieces.py, written with the layers of models. Names
// of parameters and inputs equal the peer's, so that both sides draw the same numbers.
import * as tf from '../registry/tf.js';
import { cbam } from '../modules/nn/cbam.js';
import { deformableAttention } from '../modules/nn/deformable.js';
import { batchNorm, conv2d } from '../modules/nn/layers.js';
import { relu } from '../modules/nn/ops/activations.js';
import { softmaxAffinity } from '../modules/nn/ops/affinity.js';
import { resizeBilinear } from '../modules/nn/resize.js';
import { swinStage } from '../modules/nn/swin.js';
import { CrossEntropyLoss } from '../modules/losses/cross-entropy.js';
import type { Scope } from '../registry/contracts/scope.js';

export type Sizes = Record<string, number>;
export type Inputs = Record<string, tf.Tensor>;

/** A part of a network as a function of its inputs: maps are NHWC here. */
export type Piece = (scope: Scope, inputs: Inputs, sizes: Sizes) => tf.Tensor;

const map = (x: tf.Tensor) => x as tf.Tensor4D;
const positions = (x: tf.Tensor) => x.reshape([x.shape[0], -1, x.shape[3]!]) as tf.Tensor3D;

export const PIECES: Record<string, Piece> = {
  swin_stage: (scope, { input }, { channels, heads, depth, window }) => {
    if (channels !== input.shape[3]) throw new Error('channels do not fit the input');
    return swinStage(scope, map(input), { depth, heads, window, mlpRatio: 4 });
  },
  conv: (scope, { input }, { channels, kernel }) => {
    const options = { kernel, padding: (kernel - 1) / 2, bias: false };
    return relu(batchNorm(scope.at('1'), conv2d(scope.at('0'), map(input), channels, options)));
  },
  cbam: (scope, { input }, { channels, kernel }) => {
    const y = conv2d(scope.at('0'), map(input), channels, { kernel: 1, bias: false });
    return cbam(scope.at('2'), batchNorm(scope.at('1'), y), { kernel });
  },
  affinity: (_, { query, key, values }) =>
    softmaxAffinity(positions(query), positions(key), positions(values)).reshape(values.shape),
  cross_entropy: (_, { input, label }, { height, width, scale }) => {
    const logits = resizeBilinear(map(input), [height * scale, width * scale]);
    const task = { name: 'semseg', kind: 'classes', channels: logits.shape[3] };
    return new CrossEntropyLoss({ class_weights: 'equal' }, [task]).forward(logits, label, task).value;
  },
  deformable_attention: (scope, { input, position }, { height, width, heads }) => {
    const levels = [1, 2, 4].map((factor) => [height * factor, width * factor] as const);
    const centres = levels.flatMap(([h, w]) =>
      Array.from({ length: h * w }, (_, i) => [((i % w) + 0.5) / w, (Math.floor(i / w) + 0.5) / h]).flat(),
    );
    const queries = input.add(position) as tf.Tensor3D;
    const options = { heads, points: 4, levels };
    return deformableAttention(scope, queries, input as tf.Tensor3D, Float32Array.from(centres), options);
  },
  adamw: () => {
    throw new Error('nothing is computed but the update');
  },
};
