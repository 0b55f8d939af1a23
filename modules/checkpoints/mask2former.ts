// Mask2Former checkpoints of Hugging Face. Our parameters are called as in the files on the hub; what transformers 5
// calls them in memory (and in files written from memory) is renamed, and what belongs to the instance
// segmentation that nothing here computes is left out. The whole model follows from the shapes of its tensors.
import { MtcpError, type CheckpointFormat } from '../../registry/index.js';
import { SWIN_VARIANTS } from '../nn/swin-variants.js';
import { countIn, headsUnknown } from './shapes.js';

const ENCODER = 'model.pixel_level_module.encoder';
const PIXEL_DECODER = 'model.pixel_level_module.decoder';
const TRANSFORMER = 'model.transformer_module';
const LEVELS = 3;

/** A rule for names inside the Swin encoder only: the pixel decoder has an `fc1` of its own that keeps its name. */
const inEncoder = (from: string, to: string): readonly [RegExp, string] => [
  new RegExp(`^(${ENCODER.replaceAll('.', '\\.')}\\..*)${from.replaceAll('.', '\\.')}`),
  `$1${to}`,
];

interface Architecture {
  channels: number;
  heads: number;
  encoder: {
    embed: number;
    depths: readonly number[];
    heads: readonly number[];
    window: number;
    mlp_ratio: number;
  };
  pixel_decoder: { layers: number; feedforward: number; points: number };
  transformer_decoder: { layers: number; feedforward: number; queries: number };
}

const VARIANTS: Record<string, Architecture['encoder'] & { name: string }> = Object.fromEntries(
  [
    { name: 'Swin-T', ...SWIN_VARIANTS.t, window: 7 },
    { name: 'Swin-S', ...SWIN_VARIANTS.s, window: 7 },
    { name: 'Swin-B', ...SWIN_VARIANTS.b, window: 12 },
    { name: 'Swin-B, window 7', ...SWIN_VARIANTS.b, window: 7 },
    { name: 'Swin-L', ...SWIN_VARIANTS.l, window: 12 },
  ].map((variant) => [key({ ...variant, mlp_ratio: 4 }), { ...variant, mlp_ratio: 4 }]),
);

/** What all published models share; the heads of others are in no shape. */
const PUBLISHED = { channels: 256, offsets: 192, heads: 8 };

function key({ embed, depths, heads, window, mlp_ratio: ratio }: Architecture['encoder']): string {
  return JSON.stringify([embed, depths, heads, window, ratio]);
}

export const mask2formerCheckpoint: CheckpointFormat = {
  title: "Mask2Former of Hugging Face's transformers",
  example: 'facebook/mask2former-swin-small-ade-semantic (also -tiny-, -base-, -large-)',
  renames: [
    // Saved from Mask2FormerModel, without the segmentation head around it.
    [/^(?=pixel_level_module\.|transformer_module\.)/, 'model.'],
    inEncoder('.attention.q_proj.', '.attention.self.query.'),
    inEncoder('.attention.k_proj.', '.attention.self.key.'),
    inEncoder('.attention.v_proj.', '.attention.self.value.'),
    inEncoder('.attention.o_proj.', '.attention.output.dense.'),
    inEncoder('.attention.relative_position_bias.', '.attention.self.'),
    inEncoder('.mlp.fc1.', '.intermediate.dense.'),
    inEncoder('.mlp.fc2.', '.output.dense.'),
    [/^(model\.pixel_level_module\.encoder\.)swin\./, '$1'],
  ],
  skips: [
    [/^class_predictor\./, 'classifies queries, which MT-CP does not'],
    [/^criterion\./, 'belongs to the training of instance segmentation'],
    [/\.relative_position_index$/, 'is computed, not learnt'],
    [
      /^model\.pixel_level_module\.encoder\.embeddings\.mask_token$/,
      'stands for patches that pretraining hides',
    ],
    [/^model\.pixel_level_module\.encoder\.layernorm\./, 'no feature map passes through it'],
  ],

  infer(shapes, settings) {
    const dimension = (name: string, axis: number): number => {
      const size = shapes.get(name)?.[axis];
      if (size === undefined)
        throw new MtcpError('weights', `there is no "${name}"`, {
          hint: 'files of this family have it; is this a whole Mask2Former with a Swin encoder?',
        });
      return size;
    };
    const countOf = (prefix: string) => {
      const pattern = new RegExp(`^${prefix.replaceAll('.', '\\.')}\\.(\\d+)\\.`);
      const numbers = [...shapes.keys()].map((name) => Number(pattern.exec(name)?.[1] ?? -1));
      return Math.max(-1, ...numbers) + 1;
    };
    const embed = dimension(`${ENCODER}.embeddings.patch_embeddings.projection.weight`, 0);
    const stages = Array.from(
      { length: countOf(`${ENCODER}.encoder.layers`) },
      (_, i) => `${ENCODER}.encoder.layers.${i}.blocks`,
    );
    const table = (stage: string, axis: number) =>
      dimension(`${stage}.0.attention.self.relative_position_bias_table`, axis);
    const channels = dimension(`${PIXEL_DECODER}.mask_projection.weight`, 0);
    const offsets = dimension(`${PIXEL_DECODER}.encoder.layers.0.self_attn.sampling_offsets.weight`, 0);
    const encoder = {
      embed,
      depths: stages.map(countOf),
      heads: stages.map((stage) => table(stage, 1)),
      window: (Math.sqrt(table(stages[0] ?? `${ENCODER}.encoder.layers.0.blocks`, 0)) + 1) / 2,
      mlp_ratio: dimension(`${stages[0]}.0.intermediate.dense.weight`, 0) / embed,
    };
    const isPublished =
      key(encoder) in VARIANTS && channels === PUBLISHED.channels && offsets === PUBLISHED.offsets;
    const heads = countIn(settings, 'num_attention_heads') ?? (isPublished ? PUBLISHED.heads : undefined);
    if (heads === undefined) throw headsUnknown('num_attention_heads');
    const points = offsets / (heads * LEVELS * 2);
    if (!Number.isInteger(points) || channels % heads !== 0)
      throw new MtcpError('weights', `${heads} attention heads do not go with its shapes`, {
        hint: 'is this config.json that of another model?',
      });
    const architecture: Architecture = {
      channels,
      heads,
      encoder,
      pixel_decoder: {
        layers: countOf(`${PIXEL_DECODER}.encoder.layers`),
        feedforward: dimension(`${PIXEL_DECODER}.encoder.layers.0.fc1.weight`, 0),
        points,
      },
      transformer_decoder: {
        layers: countOf(`${TRANSFORMER}.decoder.layers`),
        feedforward: dimension(`${TRANSFORMER}.decoder.layers.0.fc1.weight`, 0),
        queries: dimension(`${TRANSFORMER}.queries_features.weight`, 0),
      },
    };
    return { ...architecture };
  },

  untold: ['heads'],

  variant(options) {
    return VARIANTS[key((options as unknown as Architecture).encoder)]?.name;
  },

  settings(options) {
    const {
      channels,
      heads,
      encoder,
      pixel_decoder: pixel,
      transformer_decoder: transformer,
    } = options as unknown as Architecture;
    const stages = encoder.depths.map((_, i) => `stage${i + 1}`);
    return {
      architectures: ['Mask2FormerForUniversalSegmentation'],
      model_type: 'mask2former',
      backbone_config: {
        model_type: 'swin',
        embed_dim: encoder.embed,
        depths: encoder.depths,
        num_heads: encoder.heads,
        window_size: encoder.window,
        mlp_ratio: encoder.mlp_ratio,
        out_features: stages,
      },
      feature_size: channels,
      mask_feature_size: channels,
      hidden_dim: channels,
      num_attention_heads: heads,
      encoder_layers: pixel.layers,
      encoder_feedforward_dim: pixel.feedforward,
      // transformers counts the prediction before the first layer.
      decoder_layers: transformer.layers + 1,
      dim_feedforward: transformer.feedforward,
      num_queries: transformer.queries,
    };
  },
};
