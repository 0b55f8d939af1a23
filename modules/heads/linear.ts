// The smallest head: a 1x1 convolution of the finest level.
import type { Tensor4D } from '@tensorflow/tfjs';
import { component } from '../../registry/component.js';
import type { Head } from '../../registry/contracts/blocks.js';
import type { Pyramid } from '../../registry/contracts/features.js';
import type { Scope } from '../../registry/contracts/scope.js';
import type { Task } from '../../registry/contracts/tasks.js';
import type { OptionsSchema } from '../../registry/options.js';
import { conv2d } from '../nn/layers.js';

const schema = {
  type: 'object',
  additionalProperties: false,
  properties: {},
} as const satisfies OptionsSchema;

@component({
  kind: 'head',
  name: 'linear',
  summary: '1x1 convolution of the finest level.',
  source: "InvPT's MLPHead",
  options: schema,
})
export class LinearHead implements Head {
  forward(scope: Scope, pyramid: Pyramid, task: Task): Tensor4D {
    return conv2d(scope.at('classify'), pyramid[0].data, task.channels, { kernel: 1 });
  }
}
