// ConvNeXt of Hugging Face, of timm, and as Meta publishes it. What was trained to classify has no norms of the single maps.
import type { CheckpointFormat } from '../../registry/index.js';
import { CONVNEXT_VARIANTS } from '../nn/convnext-variants.js';
import { countOf, dimension, variantOf } from './shapes.js';

const VERSIONS = [1, 2].flatMap((version) =>
  Object.entries(CONVNEXT_VARIANTS).map(([size, variant]) => [
    `ConvNeXt${version === 2 ? ' V2' : ''}-${size.length <= 2 ? size.toUpperCase() : size}`,
    { version, ...variant },
  ]),
);

export const convnextCheckpoint: CheckpointFormat = {
  title: "ConvNeXt (version 1 or 2) of Meta, of timm or of Hugging Face's transformers",
  example: 'facebook/convnextv2-tiny-22k-224 or timm/convnext_tiny.fb_in22k (also small, base, large)',
  renames: [
    [/^convnext(v2)?\./, ''],
    // Meta's
    [/^downsample_layers\.0\./, 'stem.'],
    [/^downsample_layers\.(\d)\.(\d)\./, 'encoder.stages.$1.downsampling_layer.$2.'],
    [/^stages\.(\d+)\.(\d+)\./, 'encoder.stages.$1.layers.$2.'],
    [/^(encoder\.stages\.\d+\.layers\.\d+)\.norm\./, '$1.layernorm.'],
    [/^(encoder\.stages\.\d+\.layers\.\d+)\.gamma$/, '$1.layer_scale_parameter'],
    [/\.grn\.gamma$/, '.grn.weight'],
    [/\.grn\.beta$/, '.grn.bias'],
    // timm's
    [/^stem\.0\./, 'embeddings.patch_embeddings.'],
    [/^stem\.1\./, 'embeddings.layernorm.'],
    [/^stages\.(\d+)\.downsample\.(\d)\./, 'encoder.stages.$1.downsampling_layer.$2.'],
    [/^stages\.(\d+)\.blocks\.(\d+)\./, 'encoder.stages.$1.layers.$2.'],
    [/\.conv_dw\./, '.dwconv.'],
    [/\.mlp\.fc([12])\./, '.pwconv$1.'],
    [/\.mlp\.grn\./, '.grn.'],
    [/^(encoder\.stages\.\d+\.layers\.\d+)\.norm\./, '$1.layernorm.'],
    [/^(encoder\.stages\.\d+\.layers\.\d+)\.gamma$/, '$1.layer_scale_parameter'],
  ],
  skips: [
    [/^(layernorm|norm|norm_pre|head\.norm)\./, 'no feature map passes through it'],
    [/^(classifier|head)\./, 'classifies images'],
    [/^mask_token$/, 'stands for patches that pretraining hides'],
    [/^(proj|decoder|pred)\./, 'paints hidden patches, in pretraining'],
  ],
  fresh: [[/^hidden_states_norms\./, 'norms of single maps, which a classifier does not have']],

  infer(shapes) {
    dimension(shapes, 'encoder.stages.0.layers.0.dwconv.weight', 0);
    const stages = Array.from(
      { length: countOf(shapes, 'encoder.stages') },
      (_, i) => `encoder.stages.${i}.layers`,
    );
    return {
      version: shapes.has(`${stages[0]}.0.grn.weight`) ? 2 : 1,
      depths: stages.map((stage) => countOf(shapes, stage)),
      channels: stages.map((stage) => dimension(shapes, `${stage}.0.dwconv.weight`, 0)),
    };
  },

  variant: (options) => variantOf(options, Object.fromEntries(VERSIONS)),

  settings: ({ version, depths, channels }) => ({
    architectures: [version === 2 ? 'ConvNextV2Backbone' : 'ConvNextBackbone'],
    model_type: version === 2 ? 'convnextv2' : 'convnext',
    depths,
    hidden_sizes: channels,
    out_features: ['stage1', 'stage2', 'stage3', 'stage4'],
  }),
};
