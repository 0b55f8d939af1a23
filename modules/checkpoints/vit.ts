// Plain vision transformers of timm. The number of heads follows from no shape: it is known for the published sizes
// and must be given for others.
import { MtcpError, type CheckpointFormat } from '../../registry/index.js';
import { VIT_VARIANTS } from '../nn/vit-encoder.js';
import { countOf, dimension, headsOfPublished, gridOf, variantOf } from './shapes.js';

const VARIANTS = Object.fromEntries(
  Object.entries(VIT_VARIANTS).map(([letter, variant]) => [`ViT-${letter.toUpperCase()}`, variant]),
);

export const vitCheckpoint: CheckpointFormat = {
  title: 'vision transformer of timm',
  example: 'timm/vit_base_patch16_384.augreg_in21k_ft_in1k (also small, large)',
  renames: [],
  skips: [
    [/^(head|fc_norm|pre_logits)\./, 'classifies images'],
    [/^mask_token$/, 'stands for patches that pretraining hides'],
    [/^decoder(_\w+)?[._]/, 'paints hidden patches, in pretraining'],
    [/^cls_token$/, 'is not run along here (class_token: false)'],
  ],

  infer(shapes, settings) {
    const channels = dimension(shapes, 'pos_embed', 2);
    if (shapes.has('blocks.0.ls1.gamma'))
      throw new MtcpError('weights', 'its blocks have layer scale, which a plain transformer does not');
    const depth = countOf(shapes, 'blocks');
    return {
      channels,
      depth,
      heads: headsOfPublished({ channels, depth }, VIT_VARIANTS, settings),
      patch: dimension(shapes, 'patch_embed.proj.weight', 2),
      mlp_ratio: dimension(shapes, 'blocks.0.mlp.fc1.weight', 0) / channels,
      grid: gridOf(dimension(shapes, 'pos_embed', 1) - 1, settings),
    };
  },

  untold: ['heads'],

  variant: (options) => variantOf(options, VARIANTS),

  settings: ({ heads, grid }) => ({ num_heads: heads, grid }),
};

/** What TaskPrompter's encoder starts from: a plain transformer, which knows nothing of prompts. */
export const promptedVitCheckpoint: CheckpointFormat = {
  ...vitCheckpoint,
  of: 'vit',
  fresh: [
    [/^task_prompts$/, 'prompts of the tasks, which a plain transformer does not have'],
    [/\.attn\.token_trans1?\./, 'leads prompts through positions, which a plain transformer does not do'],
  ],
};
