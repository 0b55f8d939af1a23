// DINOv3's vision transformers as Meta publishes them, of timm, and of Hugging Face. Meta's bias of queries, keys and values is
// one tensor, in which a mask keeps that of the keys at zero; timm leaves biases out that are all zero.
import { MtcpError, type CheckpointFormat } from '../../registry/index.js';
import { DINOV3_VARIANTS } from '../nn/dino-variants.js';
import { countOf, dimension, headsOfPublished, mlpOf, variantOf } from './shapes.js';

// Whether there are biases differs between files of one network; see above.
const VARIANTS = Object.fromEntries(
  Object.entries(DINOV3_VARIANTS).map(([letter, { channels, depth, heads, hidden, mlp }]) => [
    `DINOv3 ViT-${letter.toUpperCase()}`,
    { channels, depth, heads, hidden, mlp },
  ]),
);

export const dinov3Checkpoint: CheckpointFormat = {
  title: "DINOv3 vision transformer of Meta, of timm or of Hugging Face's transformers",
  example:
    'facebook/dinov3-vitb16-pretrain-lvd1689m or timm/vit_base_patch16_dinov3.lvd1689m (also small, large, huge plus)',
  splits: [[/\.attn\.qkv\.bias$/, ['.attn.q_bias', '.attn.k_bias', '.attn.v_bias']]],
  joins: [
    [
      ['.attention.q_proj.weight', '.attention.k_proj.weight', '.attention.v_proj.weight'],
      '.attn.qkv.weight',
    ],
    [['.mlp.gate_proj.', '.mlp.up_proj.'], '.mlp.fc1.'],
    [['.mlp.w1.', '.mlp.w2.'], '.mlp.fc1.'],
    [['.mlp.fc1_g.', '.mlp.fc1_x.'], '.mlp.fc1.'],
  ],
  renames: [
    [/^embeddings\.patch_embeddings\./, 'patch_embed.proj.'],
    [/^embeddings\./, ''],
    [/^(reg_token|storage_tokens)$/, 'register_tokens'],
    [/^(model\.)?layer\./, 'blocks.'],
    [/\.attention\.([qv])_proj\.bias$/, '.attn.$1_bias'],
    [/\.attention\.o_proj\./, '.attn.proj.'],
    [/\.layer_scale([12])\.lambda1$/, '.ls$1.gamma'],
    [/\.gamma_([12])$/, '.ls$1.gamma'],
    [/\.mlp\.(up_proj|w1)\./, '.mlp.fc1.'],
    [/\.mlp\.(down_proj|w3)\./, '.mlp.fc2.'],
  ],
  skips: [
    [/^(head|fc_norm)\./, 'classifies images'],
    [/^mask_token$/, 'stands for patches that pretraining hides'],
    [/^rope(_embed|_embeddings)?\./, 'is computed, not learnt'],
    [/\.attn\.k_bias$/, 'is kept at zero by a mask'],
    [/\.bias_mask$/, 'keeps the bias of keys at zero'],
    [/^(local_)?cls_norm\./, 'normalises the class token of crops, in pretraining'],
  ],
  fresh: [[/\.attn\.[qv]_bias$/, 'is zero where the file has none']],

  infer(shapes, settings) {
    dimension(shapes, 'blocks.0.ls1.gamma', 0);
    const channels = dimension(shapes, 'cls_token', 2);
    const registers = dimension(shapes, 'register_tokens', 1);
    const depth = countOf(shapes, 'blocks');
    if (shapes.has('pos_embed'))
      throw new MtcpError('weights', 'it has a position table, where this family rotates queries and keys');
    return {
      channels,
      depth,
      heads: headsOfPublished({ channels, depth }, DINOV3_VARIANTS, settings),
      ...mlpOf(shapes),
      biases: shapes.has('blocks.0.attn.q_bias') ? 'qv' : 'none',
      registers,
      patch: dimension(shapes, 'patch_embed.proj.weight', 2),
    };
  },

  untold: ['heads'],

  variant: (options) => variantOf(options, VARIANTS),

  settings: ({ heads, registers, channels, depth, patch, base }) => ({
    model_type: 'dinov3_vit',
    num_attention_heads: heads,
    hidden_size: channels,
    num_hidden_layers: depth,
    patch_size: patch,
    num_register_tokens: registers,
    rope_theta: base,
  }),
};
