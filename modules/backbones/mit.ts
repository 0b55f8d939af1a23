// MiT, the Mix Transformer of SegFormer (Xie et al. 2021): four stages of overlapping patches, attention to a shrunken map,
// and a depthwise convolution inside each MLP, which takes the place of position embeddings.
import * as tf from '../../registry/tf.js';
import {
  component,
  Configured,
  defineOptions,
  MtcpError,
  type Backbone,
  type FeatureMap,
  type OptionsOf,
  type Pyramid,
  type Scope,
} from '../../registry/index.js';
import { mitCheckpoint } from '../checkpoints/mit.js';
import { attention } from '../nn/attention.js';
import { kaimingFanOut, truncatedNormal, zeros } from '../nn/initializers.js';
import { conv2d, dropPath, layerNorm, linear } from '../nn/layers.js';
import { gelu } from '../nn/ops/activations.js';
import { MIT_HEADS, MIT_REDUCTIONS, MIT_VARIANTS } from '../nn/mit-variants.js';
import { nullableStages, stagesOption } from '../nn/swin-variants.js';
import { dropPathOption, mlpRatioOption } from '../nn/transformer-options.js';

const schema = defineOptions({
  variant: {
    enum: ['b0', 'b1', 'b2', 'b3', 'b4', 'b5'],
    default: 'b2',
    description: 'Published size: sets the defaults of depths and channels.',
  },
  depths: nullableStages('Blocks of each stage.'),
  channels: nullableStages('Channels of each stage.'),
  heads: stagesOption(MIT_HEADS, 'Attention heads of each stage.'),
  reductions: stagesOption(
    MIT_REDUCTIONS,
    'By how much keys and values are fewer than queries along each axis, for each stage.',
  ),
  mlp_ratio: mlpRatioOption,
  drop_path: dropPathOption(0.1),
});

const init = { weightInit: truncatedNormal(0.02), biasInit: zeros };
const convInit = { weightInit: kaimingFanOut, biasInit: zeros };

@component({
  kind: 'backbone',
  name: 'mit',
  summary: 'Mix Transformer of SegFormer, B0 to B5; four maps at strides 4 to 32.',
  source: "Xie et al. 2021; names and arithmetic of transformers' SegformerModel",
  options: schema,
  checkpoint: mitCheckpoint,
  file: import.meta.url,
})
export class Mit extends Configured<OptionsOf<typeof schema>> implements Backbone {
  readonly layers = { block: /\bblock\.\d+\.\d+\./ };

  forward(scope: Scope, image: FeatureMap): { shared: Pyramid } {
    const { variant, drop_path: dropPath } = this.options;
    const depths = this.options.depths ?? MIT_VARIANTS[variant].depths;
    const channels = this.options.channels ?? MIT_VARIANTS[variant].channels;
    const blocks = depths.reduce((sum, depth) => sum + depth, 0);
    const encoder = scope.at('encoder');
    let x = image.data;
    let before = 0;
    const maps = depths.map((depth, i): FeatureMap => {
      const embedding = encoder.at(`patch_embeddings.${i}`);
      const [kernel, stride] = i === 0 ? [7, 4] : [3, 2];
      const patches = conv2d(embedding.at('proj'), x, channels[i], {
        kernel,
        stride,
        padding: kernel >> 1,
        ...convInit,
      });
      x = layerNorm(embedding.at('layer_norm'), patches);
      for (let j = 0; j < depth; j++, before++)
        x = this.#block(encoder.at(`block.${i}.${j}`), x, i, (dropPath * before) / Math.max(1, blocks - 1));
      x = layerNorm(encoder.at(`layer_norm.${i}`), x);
      return { data: x, stride: 4 * 2 ** i * image.stride };
    });
    return { shared: maps };
  }

  #block(scope: Scope, x: tf.Tensor4D, stage: number, drop: number): tf.Tensor4D {
    const attended = this.#attend(scope.at('attention'), layerNorm(scope.at('layer_norm_1'), x), stage);
    const y = x.add<tf.Tensor4D>(dropPath(scope.at('drop_path1'), attended, drop));
    const mixed = this.#mixForward(scope.at('mlp'), layerNorm(scope.at('layer_norm_2'), y));
    return y.add(dropPath(scope.at('drop_path2'), mixed, drop));
  }

  /** Every position asks a map that is shrunk by a convolution whose windows do not overlap; a rest is cut off. */
  #attend(scope: Scope, x: tf.Tensor4D, stage: number): tf.Tensor4D {
    const [batch, height, width, channels] = x.shape;
    const side = this.options.reductions[stage];
    const self = scope.at('self');
    let asked = x;
    if (side > 1) {
      if (Math.min(height, width) < side)
        throw new MtcpError(
          'component',
          `backbone mit: a map of ${height}x${width} cannot be shrunk by ${side}`,
          {
            option: 'reductions',
            hint: 'use larger images (augment.size)',
          },
        );
      const shrunk = conv2d(self.at('sr'), x, channels, { kernel: side, stride: side, ...convInit });
      asked = layerNorm(self.at('layer_norm'), shrunk);
    }
    const flat = (map: tf.Tensor4D) => map.reshape([batch, -1, channels]) as tf.Tensor3D;
    const project = (name: string, map: tf.Tensor4D) => linear(self.at(name), flat(map), channels, init);
    const mixed = attention(
      project('query', x),
      project('key', asked),
      project('value', asked),
      this.options.heads[stage],
    );
    return linear(scope.at('output.dense'), mixed, channels, init).reshape(x.shape) as tf.Tensor4D;
  }

  #mixForward(scope: Scope, x: tf.Tensor4D): tf.Tensor4D {
    const channels = x.shape[3];
    const hidden = Math.trunc(channels * this.options.mlp_ratio);
    const inner = linear(scope.at('dense1'), x, hidden, init);
    const around = conv2d(scope.at('dwconv.dwconv'), inner, hidden, {
      kernel: 3,
      padding: 1,
      groups: hidden,
      ...convInit,
    });
    return linear(scope.at('dense2'), gelu(around), channels, init);
  }
}
