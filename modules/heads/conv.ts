// A 3x3 convolution with norm and activation before the prediction: the head of DeMT (ReLU, an eighth of the levels'
// channels), of MLoRE and TaskPrompter (GELU, enlarged first; TaskPrompter adds its levels), of InvPT (nothing before the
// prediction).
import { addN, type Tensor4D } from '../../registry/tf.js';
import {
  component,
  Configured,
  defineOptions,
  MtcpError,
  type Head,
  type OptionsOf,
  type Pyramid,
  type Scope,
  type Task,
} from '../../registry/index.js';
import { batchNorm, conv2d } from '../nn/layers.js';
import { concatLevels } from '../nn/levels.js';
import { gelu, relu } from '../nn/ops/activations.js';
import { resizeBilinear } from '../nn/resize.js';

const schema = defineOptions({
  levels: {
    enum: ['concat', 'sum'],
    default: 'concat',
    description: 'Levels one after the other in the channels, or added (then all must have the same shape).',
  },
  kernel: { enum: [1, 3], default: 3, description: 'Of the first convolution.' },
  channels: {
    type: ['integer', 'null'],
    minimum: 1,
    default: null,
    description: 'Width after the first convolution; null: `reduction` times narrower than what comes in.',
  },
  reduction: { type: 'integer', minimum: 1, default: 1, description: 'See channels.' },
  activation: { enum: ['relu', 'gelu'], default: 'relu', description: 'After the norm.' },
  bias: { type: 'boolean', default: false, description: 'Bias of the first convolution.' },
  upsample: {
    type: 'integer',
    minimum: 1,
    default: 1,
    description: 'Bilinear enlargement of the features before anything else.',
  },
});

@component({
  kind: 'head',
  name: 'conv',
  summary: 'Levels concatenated, a convolution with batch norm and activation, 1x1 convolution.',
  source:
    'brdav/atrc src/model/heads/fcn.py (reduction 4); yangyangxu0/DeMT demt_head.py; YuqiYang213/MLoRE models/build_models.py',
  options: schema,
  file: import.meta.url,
})
export class ConvHead extends Configured<OptionsOf<typeof schema>> implements Head {
  forward(scope: Scope, pyramid: Pyramid, task: Task): Tensor4D {
    const { kernel, reduction, bias, upsample } = this.options;
    const data = this.options.levels === 'concat' ? concatLevels(pyramid).data : sumLevels(pyramid);
    const [, height, width, channels] = data.shape;
    const x = resizeBilinear(data, [height * upsample, width * upsample]);
    const out = this.options.channels ?? Math.max(1, Math.floor(channels / reduction));
    const activation = this.options.activation === 'relu' ? relu : gelu;
    const y = conv2d(scope.at('conv'), x, out, { kernel, padding: (kernel - 1) / 2, bias });
    const hidden = activation(batchNorm(scope.at('norm'), y));
    return conv2d(scope.at('classify'), hidden, task.channels, { kernel: 1 });
  }
}

function sumLevels(pyramid: Pyramid): Tensor4D {
  const maps = pyramid.map(({ data }) => data);
  const misfit = maps.find(({ shape }) => shape.join() !== maps[0].shape.join());
  if (misfit)
    throw new MtcpError(
      'component',
      `head conv: levels of ${maps[0].shape.slice(1).join('x')} and ${misfit.shape.slice(1).join('x')} cannot be added`,
      { option: 'levels' },
    );
  return maps.length === 1 ? maps[0] : addN(maps);
}
