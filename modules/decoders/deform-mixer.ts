// DeMT's deformable mixer (Xu et al. 2023): for each task, channels are mixed by a 1x1 convolution, then each channel
// is read at a position of its own, and mixed again.
//
// What the released code does, and so do we: the network that predicts the offsets is given the coordinates
// themselves (from 1, plus those of a 3x3 neighbourhood), and every channel has its own offset.
import * as tf from '../../registry/tf.js';
import {
  component,
  Configured,
  type Block,
  type FeatureMap,
  type Features,
  type Scope,
} from '../../registry/index.js';
import { samplePoints } from '../nn/deformable.js';
import { zeros } from '../nn/initializers.js';
import { batchNorm, conv2d } from '../nn/layers.js';
import { byTask } from '../nn/levels.js';
import { gelu } from '../nn/ops/activations.js';

/** Side of the neighbourhood whose coordinates the offset network sees. */
const SIDE = 3;

@component({
  kind: 'decoder',
  name: 'deform_mixer',
  summary:
    "For each task a deformable 1x1 convolution of the task's map, every channel with its own offsets.",
  source: 'Xu et al. 2023 (DeMT); yangyangxu0/DeMT src/model/heads/demt_head.py',
  file: import.meta.url,
})
export class DeformMixer extends Configured implements Block {
  forward(scope: Scope, features: Features): Features {
    const pyramids = byTask(this.tasks, (name): FeatureMap[] => {
      const [{ data, stride }] = features.tasks[name];
      return [{ data: this.#mix(scope.at(name), data), stride }];
    });
    return { ...features, tasks: pyramids, stages: pyramids };
  }

  #mix(scope: Scope, x: tf.Tensor4D): tf.Tensor4D {
    const channels = x.shape[3];
    const mixed = batchNorm(scope.at('norm'), gelu(conv2d(scope.at('conv'), x, channels, { kernel: 1 })));
    const deformed = conv2d(scope.at('deform'), this.#sample(scope.at('offset'), mixed), channels, {
      kernel: 1,
    });
    return mixed.add(batchNorm(scope.at('deform_norm'), gelu(deformed)));
  }

  /** Each channel at each position, sampled at the offset that the network predicts. */
  #sample(scope: Scope, x: tf.Tensor4D): tf.Tensor4D {
    const [batch, height, width, channels] = x.shape;
    const taps = SIDE * SIDE;
    const moved = conv2d(scope.at('p_conv'), x, 2 * taps, { kernel: 3, padding: 1, weightInit: zeros });
    const coordinates = moved.add<tf.Tensor4D>(
      tf.tensor4d(grid(height, width), [1, height, width, 2 * taps]),
    );
    const offsets = conv2d(scope.at('opt'), coordinates, 2 * channels, { kernel: 3, padding: 1, groups: 2 });
    const [dy, dx] = tf.unstack(offsets.reshape([batch, height * width, channels, 2]), 3);
    const at = (axis: (y: number, x: number) => number) =>
      tf.tensor(
        Array.from({ length: height * width }, (_, i) => axis(Math.floor(i / width), i % width)),
        [1, height * width, 1],
      );
    const positions = tf.stack([dx.add(at((_, u) => u)), dy.add(at((v) => v))], -1);
    const sampled = samplePoints(
      x.reshape([batch, height * width, channels]),
      positions.reshape([batch, height * width, channels, 1, 2]),
      tf.ones([batch, height * width, channels, 1]),
      { heads: channels, points: 1, levels: [[height, width]] },
    );
    return sampled.reshape([batch, height, width, channels]);
  }
}

/** Rows (from 1) of the 3x3 neighbourhood of each position, then columns: [height, width, 18]. */
function grid(height: number, width: number): Float32Array {
  const taps = SIDE * SIDE;
  const values = new Float32Array(height * width * 2 * taps);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let i = 0; i < taps; i++) {
        const at = (y * width + x) * 2 * taps + i;
        values[at] = y + 1 + Math.floor(i / SIDE) - 1;
        values[at + taps] = x + 1 + (i % SIDE) - 1;
      }
  return values;
}
