// ConvNeXt, version 1 (Liu et al. 2022) and 2 (Woo et al. 2023), as a backbone.
import * as tf from '../../registry/tf.js';
import {
  component,
  Configured,
  defineOptions,
  type Backbone,
  type FeatureMap,
  type OptionsOf,
  type Pyramid,
  type Scope,
} from '../../registry/index.js';
import { convnextCheckpoint } from '../checkpoints/convnext.js';
import { CONVNEXT_EPSILON, convNextBlock, convnextInit } from '../nn/convnext.js';
import { CONVNEXT_VARIANTS } from '../nn/convnext-variants.js';
import { conv2d, layerNorm } from '../nn/layers.js';
import { padToMultiple } from '../nn/pad.js';
import { nullableStages } from '../nn/swin-variants.js';
import { dropPathOption } from '../nn/transformer-options.js';

const schema = defineOptions({
  version: {
    enum: [1, 2],
    default: 1,
    description: '1 scales branches by learnt factors, 2 has global response normalisation.',
  },
  variant: {
    enum: ['atto', 'femto', 'pico', 'nano', 't', 's', 'b', 'l', 'xl', 'h'],
    default: 't',
    description: 'Published size: sets the defaults of depths and channels.',
  },
  depths: nullableStages('Blocks of each stage.'),
  channels: nullableStages('Channels of each stage.'),
  drop_path: dropPathOption(0.1),
});

@component({
  kind: 'backbone',
  name: 'convnext',
  summary: 'ConvNeXt, version 1 or 2; four maps at strides 4 to 32, each through a norm of its own.',
  source: "Liu et al. 2022, Woo et al. 2023; names and arithmetic of transformers' ConvNextBackbone",
  options: schema,
  checkpoint: convnextCheckpoint,
  file: import.meta.url,
})
export class ConvNext extends Configured<OptionsOf<typeof schema>> implements Backbone {
  readonly layers = { block: /\bstages\.\d+\.layers\.\d+\./, after: /\bhidden_states_norms\./ };

  /** Maps of odd size are padded with zeros before they are halved. */
  forward(scope: Scope, image: FeatureMap): { shared: Pyramid } {
    const { version, variant, drop_path: dropPath } = this.options;
    const depths = this.options.depths ?? CONVNEXT_VARIANTS[variant].depths;
    const channels = this.options.channels ?? CONVNEXT_VARIANTS[variant].channels;
    const blocks = depths.reduce((sum, depth) => sum + depth, 0);
    const embeddings = scope.at('embeddings');
    const stem = patches(embeddings.at('patch_embeddings'), image.data, channels[0], 4);
    let x = layerNorm(embeddings.at('layernorm'), stem, CONVNEXT_EPSILON);
    let before = 0;
    const maps = depths.map((depth, i): FeatureMap => {
      const stage = scope.at(`encoder.stages.${i}`);
      if (i > 0) {
        const normalized = layerNorm(stage.at('downsampling_layer.0'), x, CONVNEXT_EPSILON);
        x = patches(stage.at('downsampling_layer.1'), normalized, channels[i], 2);
      }
      for (let j = 0; j < depth; j++, before++) {
        const drop = (dropPath * before) / Math.max(1, blocks - 1);
        x = convNextBlock(stage.at(`layers.${j}`), x, { version, dropPath: drop });
      }
      const data = layerNorm(scope.at(`hidden_states_norms.stage${i + 1}`), x, CONVNEXT_EPSILON);
      return { data, stride: 4 * 2 ** i * image.stride };
    });
    return { shared: maps };
  }
}

/** A convolution whose windows do not overlap. */
function patches(scope: Scope, x: tf.Tensor4D, out: number, side: number): tf.Tensor4D {
  return conv2d(scope, padToMultiple(x, side), out, { kernel: side, stride: side, ...convnextInit });
}
