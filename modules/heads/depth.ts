// The depth head of MTFormer and of MT-CP: half the channels, enlarge, squeeze, one number. MTFormer's ends in a ReLU,
// which keeps depth positive and can die; in MT-CP's nothing does, and the metric clamps.
import type { Tensor4D } from '../../registry/tf.js';
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
import { conv2d } from '../nn/layers.js';
import { relu } from '../nn/ops/activations.js';
import { resizeBilinear } from '../nn/resize.js';

const schema = defineOptions({
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
  positive: {
    type: 'boolean',
    default: false,
    description:
      'A ReLU at the end, as in MTFormer. Where all of it is below zero, it learns nothing any more.',
  },
});

@component({
  kind: 'head',
  name: 'depth',
  summary: '1x1 convolution to half the channels, enlargement, 1x1, ReLU, 1x1, optional ReLU.',
  source: 'MT-CP released code: project_depth; xiaogang00/MTFormer models/models_nyud_CL.py: project2',
  options: schema,
  file: import.meta.url,
})
export class DepthHead extends Configured<OptionsOf<typeof schema>> implements Head {
  forward(scope: Scope, pyramid: Pyramid, task: Task): Tensor4D {
    const { hidden, upsample, positive } = this.options;
    const { data } = pyramid[0];
    const [, height, width, channels] = data.shape;
    const half = conv2d(scope.at('conv1'), data, Math.max(1, Math.floor(channels / 2)), { kernel: 1 });
    // The reference enlarges before this convolution. Interpolation weights sum to one, so a 1x1 convolution
    // and enlargement commute, and this way round there is a quarter of the work.
    const few = conv2d(scope.at('conv2'), half, hidden, { kernel: 1 });
    const squeezed = relu(resizeBilinear(few, [height * upsample, width * upsample], true));
    const depth = conv2d(scope.at('conv3'), squeezed, task.channels, { kernel: 1 });
    return positive ? relu(depth) : depth;
  }
}
