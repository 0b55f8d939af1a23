// The smallest head: a 1x1 convolution of the finest level.
import type { Tensor4D } from '../../registry/tf.js';
import { component, type Head, type Pyramid, type Scope, type Task } from '../../registry/index.js';
import { conv2d } from '../nn/layers.js';

@component({
  kind: 'head',
  name: 'linear',
  summary: '1x1 convolution of the finest level.',
  source: "InvPT's MLPHead",
  file: import.meta.url,
})
export class LinearHead implements Head {
  forward(scope: Scope, pyramid: Pyramid, task: Task): Tensor4D {
    return conv2d(scope.at('classify'), pyramid[0].data, task.channels, { kernel: 1 });
  }
}
