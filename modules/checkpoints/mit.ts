// SegFormer's encoder of Hugging Face, with the names of the files on the hub or those that transformers 5 has in memory, and
// as NVIDIA publishes it. The heads follow from no shape; all published sizes have the same.
import { MtcpError, type CheckpointFormat } from '../../registry/index.js';
import { MIT_HEADS, MIT_VARIANTS } from '../nn/mit-variants.js';
import { countOf, dimension, variantOf } from './shapes.js';

const VARIANTS = Object.fromEntries(
  Object.entries(MIT_VARIANTS).map(([size, variant]) => [`MiT-${size.toUpperCase()}`, variant]),
);
const STAGES = [0, 1, 2, 3];

export const mitCheckpoint: CheckpointFormat = {
  title: "SegFormer's encoder (MiT) of NVIDIA or of Hugging Face's transformers",
  example: 'nvidia/mit-b2 or nvidia/segformer-b2-finetuned-ade-512-512 (b0 to b5)',
  splits: [[/\.attn\.kv\./, ['.attn.k.', '.attn.v.']]],
  renames: [
    [/^segformer\./, ''],
    // transformers 5 in memory
    [/^stages\.(\d)\.patch_embeddings\./, 'encoder.patch_embeddings.$1.'],
    [/^stages\.(\d)\.layer_norm\./, 'encoder.layer_norm.$1.'],
    [/^stages\.(\d)\.blocks\.(\d+)\./, 'encoder.block.$1.$2.'],
    [/\.layernorm_before\./, '.layer_norm_1.'],
    [/\.layernorm_after\./, '.layer_norm_2.'],
    [/\.attention\.q_proj\./, '.attention.self.query.'],
    [/\.attention\.k_proj\./, '.attention.self.key.'],
    [/\.attention\.v_proj\./, '.attention.self.value.'],
    [/\.attention\.o_proj\./, '.attention.output.dense.'],
    [/\.attention\.sequence_reduction\.sequence_reduction\./, '.attention.self.sr.'],
    [/\.attention\.sequence_reduction\.layer_norm\./, '.attention.self.layer_norm.'],
    [/\.mlp\.fc([12])\./, '.mlp.dense$1.'],
    // NVIDIA's, whose stages count from 1
    ...STAGES.flatMap((stage): [RegExp, string][] => [
      [new RegExp(`^patch_embed${stage + 1}\\.proj\\.`), `encoder.patch_embeddings.${stage}.proj.`],
      [new RegExp(`^patch_embed${stage + 1}\\.norm\\.`), `encoder.patch_embeddings.${stage}.layer_norm.`],
      [new RegExp(`^block${stage + 1}\\.`), `encoder.block.${stage}.`],
      [new RegExp(`^norm${stage + 1}\\.`), `encoder.layer_norm.${stage}.`],
    ]),
    [/\.norm([12])\./, '.layer_norm_$1.'],
    [/\.attn\.q\./, '.attention.self.query.'],
    [/\.attn\.k\./, '.attention.self.key.'],
    [/\.attn\.v\./, '.attention.self.value.'],
    [/\.attn\.sr\./, '.attention.self.sr.'],
    [/\.attn\.norm\./, '.attention.self.layer_norm.'],
    [/\.attn\.proj\./, '.attention.output.dense.'],
  ],
  skips: [
    [/^(classifier|head)\./, 'classifies images'],
    [/^decode_head\./, 'segments images'],
  ],

  infer(shapes) {
    dimension(shapes, 'encoder.patch_embeddings.0.proj.weight', 0);
    const channels = STAGES.map((i) => dimension(shapes, `encoder.patch_embeddings.${i}.proj.weight`, 0));
    MIT_HEADS.forEach((heads, i) => {
      if (channels[i] % heads !== 0)
        throw new MtcpError(
          'weights',
          `${channels[i]} channels cannot be shared by ${heads} heads, which stage ${i + 1} of all published sizes has`,
        );
    });
    return {
      depths: STAGES.map((i) => countOf(shapes, `encoder.block.${i}`)),
      channels,
      reductions: STAGES.map((i) => shapes.get(`encoder.block.${i}.0.attention.self.sr.weight`)?.[2] ?? 1),
      mlp_ratio: dimension(shapes, 'encoder.block.0.0.mlp.dense1.weight', 0) / channels[0],
    };
  },

  variant: (options) => variantOf(options, VARIANTS),

  settings: ({ depths, channels, heads, reductions, mlp_ratio: ratio }) => ({
    model_type: 'segformer',
    depths,
    hidden_sizes: channels,
    num_attention_heads: heads,
    sr_ratios: reductions,
    mlp_ratios: STAGES.map(() => ratio),
  }),
};
