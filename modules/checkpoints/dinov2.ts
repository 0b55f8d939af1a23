// DINOv2 as Meta publishes it, of timm, and of Hugging Face with the names of the files on the hub or those that transformers
// 5 has in memory.
import type { CheckpointFormat } from '../../registry/index.js';
import { DINOV2_VARIANTS } from '../nn/dino-variants.js';
import { countOf, dimension, headsOfPublished, mlpOf, gridOf, variantOf } from './shapes.js';

const VARIANTS = Object.fromEntries(
  Object.entries(DINOV2_VARIANTS).map(([letter, variant]) => [`DINOv2 ViT-${letter}`, variant]),
);

/** Tensors of transformers that are one here. */
const attentions = (...names: readonly [string, string, string]) =>
  [names.map((name) => `.attention.${name}.`), '.attn.qkv.'] as const;

export const dinov2Checkpoint: CheckpointFormat = {
  title: "DINOv2 of Meta, of timm or of Hugging Face's transformers",
  example: 'facebook/dinov2-base or timm/vit_base_patch14_reg4_dinov2.lvd142m (also small, large, giant)',
  joins: [
    attentions('attention.query', 'attention.key', 'attention.value'),
    attentions('q_proj', 'k_proj', 'v_proj'),
    [['.mlp.gate_proj.', '.mlp.up_proj.'], '.mlp.fc1.'],
  ],
  renames: [
    [/^dinov2(_with_registers)?\./, ''],
    [/^embeddings\.patch_embeddings\.projection\./, 'patch_embed.proj.'],
    [/^embeddings\.position_embeddings$/, 'pos_embed'],
    [/^embeddings\./, ''],
    [/^reg_token$/, 'register_tokens'],
    [/^encoder\.layer\./, 'blocks.'],
    [/\.attention\.(output\.dense|o_proj)\./, '.attn.proj.'],
    [/\.layer_scale([12])\.lambda1$/, '.ls$1.gamma'],
    [/\.mlp\.(w12|weights_in)\./, '.mlp.fc1.'],
    [/\.mlp\.(w3|weights_out|down_proj)\./, '.mlp.fc2.'],
    [/^layernorm\./, 'norm.'],
  ],
  skips: [
    [/^(classifier|head|fc_norm)\./, 'classifies images'],
    [/^mask_token$/, 'stands for patches that pretraining hides'],
  ],

  infer(shapes, settings) {
    // The factors of layer scale: what tells this family from plain transformers.
    dimension(shapes, 'blocks.0.ls1.gamma', 0);
    const channels = dimension(shapes, 'pos_embed', 2);
    const positions = dimension(shapes, 'pos_embed', 1);
    const known = Array.isArray(settings.grid)
      ? Number(settings.grid[0]) * Number(settings.grid[1])
      : undefined;
    const classPosition = known === undefined ? !Number.isInteger(Math.sqrt(positions)) : positions > known;
    const depth = countOf(shapes, 'blocks');
    const registers = shapes.get('register_tokens')?.[1] ?? 0;
    return {
      channels,
      depth,
      heads: headsOfPublished({ channels, depth }, DINOV2_VARIANTS, settings),
      ...mlpOf(shapes),
      registers,
      class_position: classPosition,
      patch: dimension(shapes, 'patch_embed.proj.weight', 2),
      grid: gridOf(positions - Number(classPosition), settings),
    };
  },

  untold: ['heads'],

  variant: (options) => variantOf(options, VARIANTS),

  settings: ({ heads, registers, channels, depth, patch, grid }) => ({
    grid,
    model_type: registers === 0 ? 'dinov2' : 'dinov2_with_registers',
    num_attention_heads: heads,
    hidden_size: channels,
    num_hidden_layers: depth,
    patch_size: patch,
  }),
};
