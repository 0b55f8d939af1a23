// Swin transformers of Hugging Face: SwinModel, SwinForImageClassification, SwinBackbone, with the names of the files on
// the hub or those that transformers 5 has in memory; and timm's, which keep query, key and value in one tensor and count
// a merging of patches to the stage after it. What was trained to classify has no norms of the single maps.
import type { CheckpointFormat } from '../../registry/index.js';
import { SWIN_VARIANTS } from '../nn/swin-variants.js';
import { countOf, dimension, variantOf } from './shapes.js';

const VARIANTS = Object.fromEntries(
  Object.entries(SWIN_VARIANTS).map(([letter, variant]) => [`Swin-${letter.toUpperCase()}`, variant]),
);

const BLOCKS = (stage: number) => `encoder.layers.${stage}.blocks`;
const TABLE = 'attention.self.relative_position_bias_table';

export const swinCheckpoint: CheckpointFormat = {
  title: "Swin transformer of Hugging Face's transformers or of timm",
  example:
    'microsoft/swin-tiny-patch4-window7-224 or timm/swin_tiny_patch4_window7_224.ms_in1k (also small, base, large)',
  splits: [[/\.attn\.qkv\./, ['.attn.query.', '.attn.key.', '.attn.value.']]],
  renames: [
    [/^patch_embed\.proj\./, 'embeddings.patch_embeddings.projection.'],
    [/^patch_embed\.norm\./, 'embeddings.norm.'],
    [/^layers\.1\.downsample\./, 'encoder.layers.0.downsample.'],
    [/^layers\.2\.downsample\./, 'encoder.layers.1.downsample.'],
    [/^layers\.3\.downsample\./, 'encoder.layers.2.downsample.'],
    [/^layers\.(\d+)\.blocks\./, 'encoder.layers.$1.blocks.'],
    [/\.norm1\./, '.layernorm_before.'],
    [/\.norm2\./, '.layernorm_after.'],
    [/\.attn\.(query|key|value)\./, '.attention.self.$1.'],
    [/\.attn\.proj\./, '.attention.output.dense.'],
    [/\.attn\.relative_position_/, '.attention.self.relative_position_'],
    [/^norm\./, 'layernorm.'],
    [/^swin\./, ''],
    [/\.attention\.q_proj\./, '.attention.self.query.'],
    [/\.attention\.k_proj\./, '.attention.self.key.'],
    [/\.attention\.v_proj\./, '.attention.self.value.'],
    [/\.attention\.o_proj\./, '.attention.output.dense.'],
    [/\.attention\.relative_position_bias\./, '.attention.self.'],
    [/\.mlp\.fc1\./, '.intermediate.dense.'],
    [/\.mlp\.fc2\./, '.output.dense.'],
  ],
  skips: [
    [/^(layernorm|pooler)\./, 'no feature map passes through it'],
    [/^(classifier|head)\./, 'classifies images'],
    [/^(embeddings\.)?mask_token$/, 'stands for patches that pretraining (SimMIM) hides'],
    [/^decoder\./, 'paints hidden patches, in pretraining (SimMIM)'],
    [/\.(relative_position_index|attn_mask)$/, 'is computed, not learnt'],
  ],
  fresh: [[/^hidden_states_norms\./, 'norms of single maps, which a classifier does not have']],

  infer(shapes) {
    const stages = Array.from({ length: countOf(shapes, 'encoder.layers') }, (_, i) => i);
    const embed = dimension(shapes, 'embeddings.patch_embeddings.projection.weight', 0);
    return {
      embed,
      depths: stages.map((stage) => countOf(shapes, BLOCKS(stage))),
      heads: stages.map((stage) => dimension(shapes, `${BLOCKS(stage)}.0.${TABLE}`, 1)),
      window: (Math.sqrt(dimension(shapes, `${BLOCKS(0)}.0.${TABLE}`, 0)) + 1) / 2,
      mlp_ratio: dimension(shapes, `${BLOCKS(0)}.0.intermediate.dense.weight`, 0) / embed,
    };
  },

  variant: (options) => variantOf(options, VARIANTS),

  settings: ({ embed, depths, heads, window, mlp_ratio }) => ({
    architectures: ['SwinBackbone'],
    model_type: 'swin',
    embed_dim: embed,
    depths,
    num_heads: heads,
    window_size: window,
    mlp_ratio,
    out_features: ['stage1', 'stage2', 'stage3', 'stage4'],
  }),
};
