// Plain vision transformers of timm. The number of heads follows from no shape: it is known for the published sizes
// and must be given for others.
import { MtcpError, type CheckpointFormat } from '../../registry/index.js';
import { countIn, countOf, dimension, headsUnknown, variantOf } from './shapes.js';

const PUBLISHED = {
  'ViT-S': { channels: 384, depth: 12, heads: 6 },
  'ViT-B': { channels: 768, depth: 12, heads: 12 },
  'ViT-L': { channels: 1024, depth: 24, heads: 16 },
};

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
    const depth = countOf(shapes, 'blocks');
    const published = Object.values(PUBLISHED).find(
      (variant) => variant.channels === channels && variant.depth === depth,
    );
    const heads = countIn(settings, 'num_heads') ?? published?.heads;
    if (heads === undefined) throw headsUnknown('num_heads');
    if (channels % heads !== 0)
      throw new MtcpError('weights', `${channels} channels cannot be shared by ${heads} heads`);
    return {
      channels,
      depth,
      heads,
      patch: dimension(shapes, 'patch_embed.proj.weight', 2),
      mlp_ratio: dimension(shapes, 'blocks.0.mlp.fc1.weight', 0) / channels,
      grid: gridOf(dimension(shapes, 'pos_embed', 1) - 1, settings),
    };
  },

  untold: ['heads'],

  variant: (options) => variantOf(options, PUBLISHED),

  settings: ({ heads, grid }) => ({ num_heads: heads, grid }),
};

/**
 * Rows and columns of the position table: what `config.json` says, or those of a square.
 * @throws MtcpError `weights` if neither has that many positions
 */
function gridOf(positions: number, { grid }: Readonly<Record<string, unknown>>): [number, number] {
  if (grid !== undefined) {
    const [rows, columns] = Array.isArray(grid) && grid.length === 2 ? (grid as unknown[]) : [];
    const whole = Number.isSafeInteger(rows) && Number.isSafeInteger(columns);
    if (whole && (rows as number) * (columns as number) === positions && (rows as number) > 0)
      return [rows as number, columns as number];
    throw new MtcpError(
      'weights',
      `config.json says grid: ${JSON.stringify(grid)}, but the position table has ${positions} positions`,
    );
  }
  const side = Math.round(Math.sqrt(positions));
  if (side * side === positions) return [side, side];
  throw new MtcpError(
    'weights',
    `its position table has ${positions} positions, which is no square; config.json beside it may say { "grid": [rows, columns] }`,
  );
}
