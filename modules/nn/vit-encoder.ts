// What backbones of vision-transformer blocks share: the options of their size, patches with position embeddings, and
// the blocks whose maps are used. Parameter names are timm's.
import * as tf from '../../registry/tf.js';
import { MtcpError, type FeatureMap, type Scope } from '../../registry/index.js';
import { truncatedNormal } from './initializers.js';
import { conv2d } from './layers.js';
import { resizeBicubic } from './resize.js';
import { dropPathOption } from './transformer-options.js';
import { vitInit } from './vit.js';

/** Options of every such backbone. */
export const vitOptions = {
  variant: {
    enum: ['s', 'b', 'l'],
    default: 'b',
    description: 'ViT-S, ViT-B or ViT-L: sets the defaults of channels, depth, heads and taps.',
  },
  channels: {
    type: ['integer', 'null'],
    minimum: 1,
    default: null,
    description: 'Width of the tokens. null: of the variant.',
  },
  depth: {
    type: ['integer', 'null'],
    minimum: 1,
    default: null,
    description: 'Blocks. null: of the variant.',
  },
  heads: {
    type: ['integer', 'null'],
    minimum: 1,
    default: null,
    description: 'Attention heads. null: of the variant.',
  },
  taps: {
    type: ['array', 'null'],
    items: { type: 'integer', minimum: 1 },
    minItems: 1,
    default: null,
    description:
      "After which blocks (from 1) a map is taken. The last block's goes through the final norm, the others as they are. null: a quarter, a half, three quarters and all of the depth.",
  },
  patch: { type: 'integer', minimum: 1, default: 16, description: 'Side of a patch in pixels.' },
  mlp_ratio: {
    type: 'integer',
    minimum: 1,
    default: 4,
    description: "Hidden over outer width of the blocks' MLPs.",
  },
  drop_path: dropPathOption(0),
  grid: {
    type: 'array',
    items: { type: 'integer', minimum: 1 },
    minItems: 2,
    maxItems: 2,
    default: [24, 24],
    description:
      'Rows and columns of the position table; resized (bicubic) where the image has others. 24x24 is a checkpoint for 384x384.',
  },
} as const;

const VARIANTS = {
  s: { channels: 384, depth: 12, heads: 6 },
  b: { channels: 768, depth: 12, heads: 12 },
  l: { channels: 1024, depth: 24, heads: 16 },
} as const;

export interface VitSize {
  channels: number;
  depth: number;
  heads: number;
  /** After which blocks a map is taken, from 1. */
  taps: readonly number[];
}

interface VitSizeOptions {
  variant: keyof typeof VARIANTS;
  channels: number | null;
  depth: number | null;
  heads: number | null;
  taps: readonly number[] | null;
}

/**
 * What the options come to; `name` is the backbone's, for errors.
 * @throws MtcpError `component` if a tapped block is not there or the heads do not divide the channels
 */
export function vitSize(name: string, options: VitSizeOptions): VitSize {
  const variant = VARIANTS[options.variant];
  const channels = options.channels ?? variant.channels;
  const depth = options.depth ?? variant.depth;
  const heads = options.heads ?? variant.heads;
  const taps = options.taps ?? [1, 2, 3, 4].map((n) => Math.max(1, Math.round((n * depth) / 4)));
  const outside = taps.find((tap) => tap > depth);
  if (outside !== undefined)
    throw new MtcpError('component', `backbone ${name}: there is no block ${outside} to tap`, {
      hint: `it has ${depth} blocks`,
    });
  if (channels % heads !== 0)
    throw new MtcpError('component', `backbone ${name}: ${channels} channels are not ${heads} equal heads`);
  return { channels, depth, heads, taps };
}

/** Stochastic depth of block `i`: none in the first, `last` in the last. */
export const dropPathOf = (last: number, i: number, depth: number): number =>
  (last * i) / Math.max(1, depth - 1);

export interface Patches {
  /** [batch, rows, columns, channels], without positions */
  map: tf.Tensor4D;
  /** Learnt positions of the class token and of every patch, [1, 1 + rows * columns, channels]. */
  positions: tf.Tensor3D;
}

/**
 * @param image [batch, height, width, 3]
 * @param grid rows and columns of the table of positions, which is resized to the image's (bicubic)
 * @throws MtcpError `component` if the image is not whole patches
 */
export function embedPatches(
  scope: Scope,
  name: string,
  image: FeatureMap,
  channels: number,
  { patch, grid }: { patch: number; grid: readonly number[] },
): Patches {
  const [, height, width] = image.data.shape;
  if (height % patch !== 0 || width % patch !== 0)
    throw new MtcpError(
      'component',
      `backbone ${name}: ${height}x${width} is not whole patches of ${patch}`,
      {
        hint: 'choose augment.size accordingly',
      },
    );
  const options = { kernel: patch, stride: patch, ...vitInit };
  const map = conv2d(scope.at('patch_embed.proj'), image.data, channels, options);
  const [, rows, columns] = map.shape;
  return { map, positions: positionTable(scope, grid, [rows, columns], channels) };
}

function positionTable(
  scope: Scope,
  [tableRows, tableColumns]: readonly number[],
  [rows, columns]: readonly [number, number],
  channels: number,
): tf.Tensor3D {
  const shape = [1, 1 + tableRows * tableColumns, channels];
  const table = scope.param<tf.Rank.R3>('pos_embed', shape, truncatedNormal(0.02));
  if (rows === tableRows && columns === tableColumns) return table;
  const [first, rest] = tf.split(table, [1, tableRows * tableColumns], 1);
  const grid = rest.reshape([1, tableRows, tableColumns, channels]) as tf.Tensor4D;
  const resized = resizeBicubic(grid, [rows, columns]).reshape([1, rows * columns, channels]);
  return tf.concat([first, resized], 1) as tf.Tensor3D;
}
