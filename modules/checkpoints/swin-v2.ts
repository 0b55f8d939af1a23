// Swin V2 of Hugging Face, of timm, and as Microsoft publishes it. No tensor tells the window: the config.json beside the file
// does, as Hugging Face writes it, or by the name of timm's architecture.
import { MtcpError, type CheckpointFormat } from '../../registry/index.js';
import { SWIN_VARIANTS } from '../nn/swin-variants.js';
import { countIn, countOf, dimension, variantOf } from './shapes.js';
import { swinCheckpoint } from './swin.js';

const VARIANTS = Object.fromEntries(
  Object.entries(SWIN_VARIANTS).map(([letter, variant]) => [`Swin V2-${letter.toUpperCase()}`, variant]),
);

const BLOCKS = (stage: number) => `encoder.layers.${stage}.blocks`;
const SCALE = 'attention.self.logit_scale';

export const swinV2Checkpoint: CheckpointFormat = {
  title: "Swin transformer V2 of Microsoft, of timm or of Hugging Face's transformers",
  example:
    'microsoft/swinv2-tiny-patch4-window8-256 or timm/swinv2_tiny_window8_256.ms_in1k (also small, base, large)',
  splits: [[/\.attn\.qkv\.weight$/, ['.attn.query.weight', '.attn.key.weight', '.attn.value.weight']]],
  renames: [
    [/^swinv2\./, ''],
    [/\.attn\.q_bias$/, '.attn.query.bias'],
    [/\.attn\.v_bias$/, '.attn.value.bias'],
    [/\.attn\.cpb_mlp\./, '.attention.self.continuous_position_bias_mlp.'],
    [/\.attn\.logit_scale$/, `.${SCALE}`],
    ...swinCheckpoint.renames,
  ],
  skips: [...swinCheckpoint.skips, [/\.relative_coords_table$/, 'is computed, not learnt']],

  infer(shapes, settings) {
    // The factor on cosines: what tells this family from others.
    dimension(shapes, `${BLOCKS(0)}.0.${SCALE}`, 0);
    const embed = dimension(shapes, 'embeddings.patch_embeddings.projection.weight', 0);
    const stages = Array.from({ length: countOf(shapes, 'encoder.layers') }, (_, i) => i);
    const heads = stages.map((stage) => dimension(shapes, `${BLOCKS(stage)}.0.${SCALE}`, 0));
    return {
      embed,
      depths: stages.map((stage) => countOf(shapes, BLOCKS(stage))),
      heads,
      ...windowsIn(settings),
      mlp_ratio: dimension(shapes, `${BLOCKS(0)}.0.intermediate.dense.weight`, 0) / embed,
    };
  },

  untold: ['window', 'pretrained_windows'],

  variant: (options) => variantOf(options, VARIANTS),

  settings: ({ embed, depths, heads, window, pretrained_windows: pretrained, mlp_ratio: ratio }) => ({
    architectures: ['Swinv2Backbone'],
    model_type: 'swinv2',
    embed_dim: embed,
    depths,
    num_heads: heads,
    window_size: window,
    pretrained_window_sizes: pretrained,
    mlp_ratio: ratio,
    out_features: ['stage1', 'stage2', 'stage3', 'stage4'],
  }),
};

/** @throws MtcpError `weights` if the settings do not tell */
function windowsIn(settings: Readonly<Record<string, unknown>>): {
  window: number;
  pretrained_windows: number[];
} {
  const { architecture, pretrained_window_sizes: sizes } = settings;
  const named = /window(\d+)(?:to(\d+))?/.exec(typeof architecture === 'string' ? architecture : '');
  if (named) {
    const [before, now] = [Number(named[1]), Number(named[2] ?? named[1])];
    // Microsoft pretrained at 192x192, where the last stage has 6x6 cells.
    return {
      window: now,
      pretrained_windows: before === now ? [0, 0, 0, 0] : [before, before, before, before / 2],
    };
  }
  const window = countIn(settings, 'window_size');
  if (window === undefined)
    throw new MtcpError('weights', 'no tensor tells the size of its windows', {
      option: 'window',
      hint: 'name a folder with model.safetensors and the config.json that was published with it, or one with { "window_size": ... }',
    });
  const four = Array.isArray(sizes) && sizes.length === 4 && sizes.every((n) => Number.isSafeInteger(n));
  if (sizes !== undefined && !four)
    throw new MtcpError(
      'weights',
      `config.json says pretrained_window_sizes: ${JSON.stringify(sizes)}, not a size for each stage`,
    );
  return { window, pretrained_windows: four ? (sizes as number[]) : [0, 0, 0, 0] };
}
