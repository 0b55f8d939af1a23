// The depth head of MT-CP: half the channels, enlarge, squeeze, one number. Nothing keeps it positive; the metric
// clamps.
import type { Tensor4D } from '@tensorflow/tfjs';
import { component, options, type OptionsOf } from '../../registry/component.js';
import type { Head } from '../../registry/contracts/blocks.js';
import type { Pyramid } from '../../registry/contracts/features.js';
import type { Scope } from '../../registry/contracts/scope.js';
import type { Task } from '../../registry/contracts/tasks.js';
import type { OptionsSchema } from '../../registry/options.js';
import { conv2d } from '../nn/layers.js';
import { relu } from '../nn/ops/activations.js';
import { resizeBilinear } from '../nn/resize.js';

const schema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    hidden: {
      type: 'integer',
      minimum: 1,
      default: 32,
      description: 'Channels before the last convolution.',
    },
    upsample: {
      type: 'integer',
      minimum: 1,
      default: 2,
      description: 'Enlargement inside the head (bilinear, corners aligned).',
    },
  },
  required: ['hidden', 'upsample'],
} as const satisfies OptionsSchema;

@component({
  kind: 'head',
  name: 'depth',
  summary: '1x1 convolution to half the channels, enlargement, 1x1, ReLU, 1x1.',
  source: 'MT-CP released code: project_depth',
  options: schema,
})
export class DepthHead implements Head {
  constructor(@options() private readonly options: OptionsOf<typeof schema>) {}

  forward(scope: Scope, pyramid: Pyramid, task: Task): Tensor4D {
    const { hidden, upsample } = this.options;
    const { data } = pyramid[0];
    const [, height, width, channels] = data.shape;
    const half = conv2d(scope.at('conv1'), data, Math.max(1, Math.floor(channels / 2)), { kernel: 1 });
    // The reference enlarges before this convolution. Interpolation weights sum to one, so a 1x1 convolution
    // and enlargement commute, and this way round there is a quarter of the work.
    const few = conv2d(scope.at('conv2'), half, hidden, { kernel: 1 });
    const squeezed = relu(resizeBilinear(few, [height * upsample, width * upsample], true));
    return conv2d(scope.at('conv3'), squeezed, task.channels, { kernel: 1 });
  }
}
