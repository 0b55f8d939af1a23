// MTI-Net's first half (Vandenhende et al. 2020): initial predictions at every scale, from coarse to fine; what the
// tasks found at one scale is propagated to the next finer one.
import * as tf from '../../registry/tf.js';
import {
  component,
  Configured,
  defineOptions,
  type Block,
  type FeatureMap,
  type Features,
  type OptionsOf,
  type Scope,
} from '../../registry/index.js';
import { binaryBlocks } from '../nn/binary.js';
import { conv2d, linear } from '../nn/layers.js';
import { byTask, extentOf } from '../nn/levels.js';
import { relu } from '../nn/ops/activations.js';
import { basicBlocks } from '../nn/residual.js';
import { resizeBilinear } from '../nn/resize.js';

const schema = defineOptions({
  attention: {
    enum: ['parity', 'intended'],
    default: 'parity',
    description:
      "Over what the propagation's attention is a softmax. parity: over groups of adjacent channels, as the released code has it; intended: over tasks, as the paper says.",
  },
  reduction: {
    type: 'integer',
    minimum: 1,
    default: 16,
    description: 'Channels over hidden channels of the squeeze-and-excitation gates.',
  },
  binary: {
    type: 'boolean',
    default: false,
    description: 'Residual blocks of binary convolutions instead of basic blocks (Bi-MTDP).',
  },
});

@component({
  kind: 'decoder',
  name: 'mti',
  summary:
    'Initial task predictions at every scale, coarse to fine, with feature propagation between scales.',
  source: 'Vandenhende et al. 2020; SimonVandenhende/Multi-Task-Learning-PyTorch models/mti_net.py',
  options: schema,
  file: import.meta.url,
})
export class MtiDecoder extends Configured<OptionsOf<typeof schema>> implements Block {
  forward(scope: Scope, features: Features): Features {
    const levels = byTask(this.tasks, (): FeatureMap[] => []);
    let propagated: Record<string, tf.Tensor4D> | undefined;
    for (let s = features.shared.length - 1; s >= 0; s--) {
      const { data, stride } = features.shared[s];
      const at = scope.at(`scales.${s}`);
      const maps = byTask(this.tasks, (name, task) => {
        const own = at.at(name);
        const input = propagated
          ? (tf.concat([data, resizeBilinear(propagated[name], extentOf(data))], 3) as tf.Tensor4D)
          : data;
        const map = this.#blocks(own.at('blocks'), input, data.shape[3], 2);
        if (scope.training)
          scope.predict(name, conv2d(own.at('classify'), map, task.channels, { kernel: 1 }));
        levels[name].unshift({ data: map, stride });
        return map;
      });
      if (s > 0) propagated = this.#propagate(at.at('propagate'), maps);
    }
    return { ...features, tasks: levels, stages: levels };
  }

  #blocks(scope: Scope, x: tf.Tensor4D, out: number, count: number): tf.Tensor4D {
    return (this.options.binary ? binaryBlocks : basicBlocks)(scope, x, out, count);
  }

  /** Feature propagation module: what all tasks know, weighted by attention, narrowed, gated for each task. */
  #propagate(scope: Scope, maps: Record<string, tf.Tensor4D>): Record<string, tf.Tensor4D> {
    const count = this.tasks.length;
    const all = tf.concat(
      this.tasks.map(({ name }) => maps[name]),
      3,
    ) as tf.Tensor4D;
    const [batch, height, width, wide] = all.shape;
    const channels = wide / count;
    const narrow = this.#blocks(scope.at('blocks'), all, Math.max(1, Math.floor(wide / 4)), 2);
    const scores = conv2d(scope.at('attend'), narrow, wide, { kernel: 1 });
    const shape = [
      batch,
      height,
      width,
      ...(this.options.attention === 'parity' ? [channels, count] : [count, channels]),
    ];
    const mask =
      this.options.attention === 'parity'
        ? tf.softmax(scores.reshape(shape))
        : tf.softmax(scores.reshape(shape).transpose([0, 1, 2, 4, 3])).transpose([0, 1, 2, 4, 3]);
    const attended = mask.mul(all.reshape(shape)).reshape(all.shape) as tf.Tensor4D;
    const shared = this.#blocks(scope.at('reduce'), attended, channels, 1);
    return byTask(this.tasks, (name) => {
      const gate = this.#excite(scope.at(`gates.${name}`), shared, channels);
      return shared.mul(gate).add(maps[name]);
    });
  }

  /** Squeeze and excitation (Hu et al. 2018): [batch, 1, 1, channels] in 0..1. */
  #excite(scope: Scope, x: tf.Tensor4D, channels: number): tf.Tensor4D {
    const hidden = Math.max(1, Math.floor(channels / this.options.reduction));
    const squeezed = x.mean([1, 2]) as tf.Tensor2D;
    const gate = linear(scope.at('fc2'), relu(linear(scope.at('fc1'), squeezed, hidden)), channels);
    return gate.sigmoid().reshape([x.shape[0], 1, 1, channels]);
  }
}
