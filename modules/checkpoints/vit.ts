// Plain vision transformers of timm. The number of heads is in no shape; timm's have 64 channels each.
import { MtcpError, type CheckpointFormat } from '../../registry/index.js';
import { countOf, dimension, variantOf } from './shapes.js';

const PER_HEAD = 64;

export const vitCheckpoint: CheckpointFormat = {
  title: 'vision transformer of timm',
  example: 'timm/vit_base_patch16_384.augreg_in21k_ft_in1k (also small, large)',
  renames: [],
  skips: [
    [/^(head|fc_norm|pre_logits)\./, 'classifies images'],
    [/^cls_token$/, 'is not run along here (class_token: false)'],
  ],

  infer(shapes, settings) {
    const channels = dimension(shapes, 'pos_embed', 2);
    const places = dimension(shapes, 'pos_embed', 1) - 1;
    const side = Math.round(Math.sqrt(places));
    if (side * side !== places)
      throw new MtcpError('weights', `its position table has ${places} places, which is no square`);
    const heads = typeof settings.num_heads === 'number' ? settings.num_heads : channels / PER_HEAD;
    return {
      channels,
      depth: countOf(shapes, 'blocks'),
      heads: Math.max(1, Math.round(heads)),
      patch: dimension(shapes, 'patch_embed.proj.weight', 2),
      mlp_ratio: dimension(shapes, 'blocks.0.mlp.fc1.weight', 0) / channels,
      grid: [side, side],
    };
  },

  variant: (options) =>
    variantOf(options, {
      'ViT-S': { channels: 384, depth: 12, heads: 6 },
      'ViT-B': { channels: 768, depth: 12, heads: 12 },
      'ViT-L': { channels: 1024, depth: 24, heads: 16 },
    }),

  settings: (options) => ({ num_heads: options.heads }),
};
