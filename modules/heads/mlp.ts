// The head of MT-CP for classes, normals and saliency: at each position, two 1x1 convolutions with a normalisation
// between them, then a fixed enlargement.
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
import type { Tensor4D } from '../../registry/tf.js';
import { batchNorm, conv2d } from '../nn/layers.js';
import { relu } from '../nn/ops/activations.js';
import { resizeBilinear } from '../nn/resize.js';

const schema = defineOptions({
  upsample: {
    type: 'integer',
    minimum: 1,
    default: 1,
    description:
      "Enlargement of the prediction by the head itself (bilinear, corners aligned); the rest of the way to the label size is the runner's.",
  },
});

@component({
  kind: 'head',
  name: 'mlp',
  summary: '1x1 convolution, batch norm, ReLU, 1x1 convolution, optional enlargement.',
  source: 'MT-CP released code: project_semseg, project_normals',
  options: schema,
  file: import.meta.url,
})
export class MlpHead extends Configured<OptionsOf<typeof schema>> implements Head {
  forward(scope: Scope, pyramid: Pyramid, task: Task): Tensor4D {
    const { data } = pyramid[0];
    const [, height, width, channels] = data.shape;
    const hidden = conv2d(scope.at('conv1'), data, channels, { kernel: 1, bias: false });
    const y = conv2d(scope.at('conv2'), relu(batchNorm(scope.at('norm'), hidden)), task.channels, {
      kernel: 1,
    });
    const { upsample } = this.options;
    return resizeBilinear(y, [height * upsample, width * upsample], true);
  }
}
