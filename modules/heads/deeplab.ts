// The head of DeepLab v3 (Chen et al. 2017): atrous spatial pyramid pooling over the coarsest level, a 3x3
// convolution, the prediction.
import * as tf from '../../registry/tf.js';
import {
  component,
  Configured,
  defineOptions,
  type Head,
  type OptionsOf,
  type Pyramid,
  type Scope,
  type Task,
} from '../../registry/index.js';
import { conv2d, dropout } from '../nn/layers.js';
import { extentOf, levelOf } from '../nn/levels.js';
import { relu } from '../nn/ops/activations.js';
import { globalAverage } from '../nn/pooling.js';
import { convNorm } from '../nn/residual.js';
import { resizeBilinear } from '../nn/resize.js';

const schema = defineOptions({
  channels: { type: 'integer', minimum: 1, default: 256, description: 'Channels of every branch.' },
  rates: {
    type: 'array',
    items: { type: 'integer', minimum: 1 },
    default: [12, 24, 36],
    description: 'Dilations of the 3x3 branches.',
  },
  dropout: {
    type: 'number',
    minimum: 0,
    exclusiveMaximum: 1,
    default: 0.5,
    description: 'Dropout after the branches are merged.',
  },
  level: { type: 'integer', default: -1, description: 'Which level of the pyramid; -1 is the coarsest.' },
});

@component({
  kind: 'head',
  name: 'deeplab',
  summary: 'DeepLab v3: atrous spatial pyramid pooling, 3x3 convolution, prediction.',
  source: 'Chen et al. 2017; SimonVandenhende/Multi-Task-Learning-PyTorch models/aspp.py',
  options: schema,
  file: import.meta.url,
})
export class DeepLabHead extends Configured<OptionsOf<typeof schema>> implements Head {
  forward(scope: Scope, pyramid: Pyramid, task: Task): tf.Tensor4D {
    const { channels, rates, dropout: dropped, level } = this.options;
    const { data } = levelOf(pyramid, level, 'head deeplab');
    const aspp = scope.at('aspp');
    const names = ['conv', 'norm'] as const;
    const branch = (at: Scope, x: tf.Tensor4D, kernel: number, rate = 1) =>
      relu(convNorm(at, names, x, channels, { kernel, padding: kernel === 1 ? 0 : rate, dilation: rate }));
    const parts = [
      branch(aspp.at('0'), data, 1),
      ...rates.map((rate, i) => branch(aspp.at(`${i + 1}`), data, 3, rate)),
      resizeBilinear(branch(aspp.at('pool'), globalAverage(data), 1), extentOf(data)),
    ];
    const merged = branch(aspp.at('project'), tf.concat(parts, 3) as tf.Tensor4D, 1);
    const smooth = branch(scope, dropout(scope, merged, dropped), 3);
    return conv2d(scope.at('classify'), smooth, task.channels, { kernel: 1 });
  }
}
