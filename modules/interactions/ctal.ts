// Cross-task affinity learning (EMA-Net, Sinodinos and Armanfard 2024): what each task's positions have in common with
// each other, an affinity matrix for each task, is put together position by position by a small convolution, and the
// one matrix that comes of it mixes the features of every task.
//
// Row i of a matrix is a map: how like position i every other position is. All tasks' maps of position i become one by a
// 3x3 convolution of their own, which is a grouped convolution with as many groups as positions. Its weights tie the
// number of parameters to the input size.
import * as tf from '../../registry/tf.js';
import {
  component,
  Configured,
  defineOptions,
  type Block,
  type Features,
  type OptionsOf,
  type Pyramid,
  type Scope,
} from '../../registry/index.js';
import { torchBias, torchWeight } from '../nn/initializers.js';
import { batchNorm, conv2d } from '../nn/layers.js';
import { byTask } from '../nn/levels.js';
import { relu } from '../nn/ops/activations.js';
import { conv2d as convolve, convTranspose2d } from '../nn/ops/convolution.js';

const schema = defineOptions({
  channels: { type: 'integer', minimum: 1, default: 128, description: "Width of each task's features." },
  gamma: {
    type: 'number',
    minimum: 0,
    maximum: 1,
    default: 0.05,
    description: "Share of the mixed features; the rest is the task's own.",
  },
});

@component({
  kind: 'interaction',
  name: 'ctal',
  summary: "Mixes each task's positions by one affinity matrix, learnt from those of all tasks.",
  source: 'Sinodinos and Armanfard 2024 (EMA-Net); Armanfard-Lab/EMA-Net models/emanet.py',
  options: schema,
  file: import.meta.url,
})
export class CrossTaskAffinity extends Configured<OptionsOf<typeof schema>> implements Block {
  forward(scope: Scope, features: Features): Features {
    const { channels, gamma } = this.options;
    const narrow = byTask(this.tasks, (name) =>
      conv2d(scope.at(`${name}.reduce`), features.tasks[name][0].data, channels, { kernel: 1 }),
    );
    const affinity = this.#fuse(scope.at('fuse'), Object.values(narrow).map(affinityOf));
    const pyramids = byTask(this.tasks, (name): Pyramid => {
      const own = narrow[name];
      const [batch, height, width] = own.shape;
      const value = conv2d(scope.at(`${name}.value`), own, channels, { kernel: 3, padding: 1 });
      // affinity[j, i]: how much of position j position i takes.
      const mixed = tf
        .matMul(affinity, value.reshape([batch, height * width, channels]), true, false)
        .reshape(own.shape);
      const blended = mixed.mul(gamma).add(own.mul(1 - gamma)) as tf.Tensor4D;
      const stride = features.tasks[name][0].stride / 2;
      return [{ data: this.#enlarge(scope.at(name), blended), stride }];
    });
    return { ...features, tasks: pyramids };
  }

  /**
   * One affinity matrix from those of all tasks.
   * @param affinities [batch, height, width, positions] each: the map of every position is a channel
   * @returns [batch, height * width, positions]
   */
  #fuse(scope: Scope, affinities: readonly tf.Tensor4D[]): tf.Tensor3D {
    const [batch, height, width, positions] = affinities[0].shape;
    const count = affinities.length;
    const weight = scope.param<tf.Rank.R4>('weight', [positions, count, 3, 3], torchWeight);
    const perTask = tf.split(weight, count, 1) as tf.Tensor4D[];
    // A grouped convolution over tasks is a sum of depthwise ones.
    const terms = affinities.map((affinity, t) =>
      convolve(affinity, perTask[t], {
        stride: [1, 1],
        padding: [1, 1, 1, 1],
        dilation: [1, 1],
        groups: positions,
      }),
    );
    const bias = scope.param('bias', [positions], torchBias(9 * count));
    return tf
      .addN(terms)
      .add(bias)
      .reshape([batch, height * width, positions]);
  }

  /** Twice as large by a transposed convolution, with norm, ReLU and a convolution. */
  #enlarge(scope: Scope, x: tf.Tensor4D): tf.Tensor4D {
    const [batch, height, width, channels] = x.shape;
    const up = scope.at('up');
    const weight = up.param<tf.Rank.R4>('weight', [channels, channels, 2, 2], torchWeight);
    const y = convTranspose2d(x, weight, [batch, 2 * height, 2 * width, channels], {
      stride: [2, 2],
      padding: [0, 0, 0, 0],
      dilation: [1, 1],
      groups: 1,
    }).add(up.param('bias', [channels], torchBias(4 * channels)));
    const hidden = relu(batchNorm(scope.at('norm'), y as tf.Tensor4D));
    return conv2d(scope.at('conv'), hidden, channels, { kernel: 3, padding: 1 });
  }
}

/**
 * Cosines between all positions of a map.
 * @returns [batch, height, width, positions]; symmetric in the position and the channel
 */
function affinityOf(x: tf.Tensor4D): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const rows = x.reshape([batch, height * width, channels]);
  // Not the root of the sum: its gradient is infinite at 0.
  const inverse = tf.rsqrt(rows.square().sum(2, true).add(1e-24));
  const unit = rows.mul(inverse) as tf.Tensor3D;
  return tf.matMul(unit, unit, false, true).reshape([batch, height, width, height * width]);
}
