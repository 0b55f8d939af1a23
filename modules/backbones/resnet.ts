// ResNet (He et al. 2016), plain or dilated so that the last stages keep stride 8, as the compared systems of the
// years before transformers use it.
import type { Tensor4D } from '../../registry/tf.js';
import {
  component,
  defineOptions,
  MtcpError,
  options,
  type Backbone,
  type Encoded,
  type FeatureMap,
  type OptionsOf,
  type Pyramid,
  type Scope,
  type Stage,
} from '../../registry/index.js';
import { resnetCheckpoint } from '../checkpoints/resnet.js';
import { relu } from '../nn/ops/activations.js';
import { maxPool } from '../nn/pooling.js';
import { basicBlock, bottleneck, convNorm } from '../nn/residual.js';

const schema = defineOptions({
  depth: {
    enum: [18, 50],
    default: 18,
    description: 'ResNet-18 (basic blocks) or ResNet-50 (bottlenecks, stride on the 3x3).',
  },
  dilated: {
    type: 'boolean',
    default: true,
    description: 'Stages 3 and 4 dilate by 2 and 4 instead of striding: strides 4, 8, 8, 8.',
  },
  width: {
    type: 'integer',
    minimum: 1,
    default: 64,
    description:
      'Channels of the first stage; each later one has twice as many. 64 is the published network.',
  },
  blocks: {
    type: ['array', 'null'],
    items: { type: 'integer', minimum: 1 },
    minItems: 4,
    maxItems: 4,
    default: null,
    description: 'Blocks of each stage; null: as published.',
  },
  inner: {
    type: 'boolean',
    default: false,
    description: "Also gives each stage's map before its last block, which MTAN's attention reads.",
  },
});

const BLOCKS = { 18: [2, 2, 2, 2], 50: [3, 4, 6, 3] } as const;

@component({
  kind: 'backbone',
  name: 'resnet',
  summary: 'ResNet-18 or ResNet-50, plain or dilated; four maps.',
  source:
    'He et al. 2016; names and arithmetic of torchvision; dilation as in SimonVandenhende/Multi-Task-Learning-PyTorch models/resnet_dilated.py',
  options: schema,
  checkpoint: resnetCheckpoint,
  file: import.meta.url,
})
export class ResNet implements Backbone {
  readonly layers = { block: /\blayer\d\.\d+\./ };

  constructor(@options() private readonly options: OptionsOf<typeof schema>) {
    if (options.inner && options.blocks?.some((count) => count < 2))
      throw new MtcpError('component', 'backbone resnet: inner maps need two blocks or more in every stage', {
        option: 'inner',
      });
  }

  forward(scope: Scope, image: FeatureMap): Encoded {
    const inner: Tensor4D[] = [];
    const steps = this.stages(scope, image, inner);
    let step = steps.next();
    while (!step.done) step = steps.next(step.value.map);
    return { shared: step.value, ...(this.options.inner && { taps: new Map([['inner', inner]]) }) };
  }

  /** @param inner receives each stage's map before its last block, for the tap of that name */
  *stages(scope: Scope, image: FeatureMap, inner: Tensor4D[] = []): Generator<Stage, Pyramid, FeatureMap> {
    const { depth, dilated, width } = this.options;
    const blocks = this.options.blocks ?? BLOCKS[depth];
    const stem = relu(
      convNorm(scope, ['conv1', 'bn1'], image.data, width, { kernel: 7, stride: 2, padding: 3 }),
    );
    const pooled = maxPool(stem, { kernel: 3, stride: 2, padding: 1 });
    let map = yield { name: 'stem', map: { data: pooled, stride: 4 * image.stride } };
    const maps: FeatureMap[] = [];
    for (const [i, count] of blocks.entries()) {
      const name = `layer${i + 1}`;
      const dilation = dilated && i >= 2 ? 2 ** (i - 1) : 1;
      const stride = i === 0 || dilation > 1 ? 1 : 2;
      for (let j = 0; j < count; j++) {
        if (j === count - 1) inner.push(map.data);
        const block = depth === 18 ? basicBlock : bottleneck;
        const first = j === 0;
        const data = block(scope.at(`${name}.${j}`), map.data, width * 2 ** i, {
          stride: first ? stride : 1,
          dilation,
          firstDilation: first && dilation > 1 ? dilation / 2 : dilation,
        });
        map = { data, stride: first ? map.stride * stride : map.stride };
      }
      map = yield { name, map };
      maps.push(map);
    }
    return maps;
  }
}
