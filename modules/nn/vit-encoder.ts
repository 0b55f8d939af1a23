// What backbones of vision-transformer blocks share: the options of their size, patches and position embeddings, and the
// run through the blocks in which maps are taken. Parameter names are timm's.
import * as tf from '../../registry/tf.js';
import { MtcpError, type FeatureMap, type Scope } from '../../registry/index.js';
import { normal, truncatedNormal } from './initializers.js';
import { conv2d, layerNorm } from './layers.js';
import { resizeBicubic } from './resize.js';
import { dropPathOption } from './transformer-options.js';
import { VIT_EPSILON, vitBlock, vitInit, type VitBlockOptions } from './vit.js';

/** The option for the size of the position table. */
export const gridOption = <const G extends readonly [number, number]>(standard: G, which: string) =>
  ({
    type: 'array',
    items: { type: 'integer', minimum: 1 },
    minItems: 2,
    maxItems: 2,
    default: standard,
    description: `Rows and columns of the position table; resized (bicubic) where the image has others. ${which}`,
  }) as const;

const sizeOption = (description: string) =>
  ({
    type: ['integer', 'null'],
    minimum: 1,
    default: null,
    description: `${description} null: of the variant.`,
  }) as const;

/** Options of every such backbone but its variants, which the family adds. */
export const tokenOptions = {
  channels: sizeOption('Width of the tokens.'),
  depth: sizeOption('Blocks.'),
  heads: sizeOption('Attention heads.'),
  taps: {
    type: ['array', 'null'],
    items: { type: 'integer', minimum: 1 },
    minItems: 1,
    default: null,
    description:
      'After which blocks (from 1) a map is taken. null: a quarter, a half, three quarters and all of the depth.',
  },
  drop_path: dropPathOption(0),
} as const;

/** Options of the classic backbones, `vit` and those made of it. */
export const vitOptions = {
  variant: {
    enum: ['s', 'b', 'l'],
    default: 'b',
    description: 'ViT-S, ViT-B or ViT-L: sets the defaults of channels, depth, heads and taps.',
  },
  ...tokenOptions,
  taps: {
    ...tokenOptions.taps,
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
  grid: gridOption([24, 24], '24x24 is a checkpoint for 384x384.'),
} as const;

/** The published sizes (Dosovitskiy et al. 2021, table 1; S: Touvron et al. 2021). */
export const VIT_VARIANTS = {
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
  channels: number | null;
  depth: number | null;
  heads: number | null;
  taps: readonly number[] | null;
}

/**
 * What the options come to; `name` is the backbone's, for errors.
 * @throws MtcpError `component` if a tapped block is not there or the heads do not divide the channels
 */
export function vitSize(name: string, variant: Omit<VitSize, 'taps'>, options: VitSizeOptions): VitSize {
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

/** The blocks in names of parameters. */
export const TOKEN_LAYERS = { block: /\bblocks\.\d+\./, after: /^backbone\.norm\./ };

/** Stochastic depth of block `i`: none in the first, `last` in the last. */
export const dropPathOf = (last: number, i: number, depth: number): number =>
  (last * i) / Math.max(1, depth - 1);

export interface PositionTable {
  /** Rows and columns of the table, which is resized (bicubic) to those of the image. */
  grid: readonly number[];
  /** Whether it begins with the position of the class token. */
  classToken?: boolean;
  /** Whether what shrinks it looks at all of it; timm's way, and that of DINOv2 with registers. */
  antialias?: boolean;
}

/**
 * The image as patches without positions, [batch, rows, columns, channels].
 * @param image [batch, height, width, 3]
 * @throws MtcpError `component` if the image is not whole patches
 */
export function embedPatches(
  scope: Scope,
  name: string,
  image: FeatureMap,
  channels: number,
  patch: number,
): tf.Tensor4D {
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
  return conv2d(scope.at('patch_embed.proj'), image.data, channels, options);
}

/** Learnt positions of the class token, if there is one in the table, and of every patch, [1, tokens, channels]. */
export function positionTable(
  scope: Scope,
  { grid: [tableRows, tableColumns], classToken = true, antialias = true }: PositionTable,
  [rows, columns]: readonly [number, number],
  channels: number,
): tf.Tensor3D {
  const before = Number(classToken);
  const shape = [1, before + tableRows * tableColumns, channels];
  const table = scope.param<tf.Rank.R3>('pos_embed', shape, truncatedNormal(0.02));
  if (rows === tableRows && columns === tableColumns) return table;
  const grid = tf
    .slice(table, [0, before, 0], [-1, -1, -1])
    .reshape([1, tableRows, tableColumns, channels]) as tf.Tensor4D;
  const resized = resizeBicubic(grid, [rows, columns], antialias).reshape([1, rows * columns, channels]);
  return (
    classToken ? tf.concat([tf.slice(table, [0, 0, 0], [-1, 1, -1]), resized], 1) : resized
  ) as tf.Tensor3D;
}

export interface TokenEncoder extends VitSize {
  blocks: Omit<VitBlockOptions, 'heads' | 'dropPath'>;
  dropPath: number;
  /** Tokens in front of the patches. */
  prefix: number;
  /** Whether every tapped map goes through the final norm, or the last block's alone. */
  normalizeAll: boolean;
}

/**
 * Runs tokens through the blocks and takes maps.
 * @param tokens [batch, prefix + rows * columns, channels]
 * @returns a map [batch, rows, columns, channels] for each tap
 */
export function encodeTokens(
  scope: Scope,
  tokens: tf.Tensor3D,
  [rows, columns]: readonly [number, number],
  { channels, depth, heads, taps, blocks, dropPath, prefix, normalizeAll }: TokenEncoder,
): tf.Tensor4D[] {
  const { epsilon = VIT_EPSILON } = blocks;
  const maps: tf.Tensor4D[] = [];
  let x = tokens;
  for (let i = 0; i < depth; i++) {
    const drop = dropPathOf(dropPath, i, depth);
    x = vitBlock(scope.at(`blocks.${i}`), x, { ...blocks, heads, dropPath: drop });
    if (!taps.includes(i + 1)) continue;
    const seen = normalizeAll || i === depth - 1 ? layerNorm(scope.shared('norm'), x, epsilon) : x;
    const patches = tf.slice(seen, [0, prefix, 0], [-1, -1, -1]);
    maps.push(patches.reshape([x.shape[0], rows, columns, channels]) as tf.Tensor4D);
  }
  return maps;
}

/** A learnt token for every image of a batch, [batch, count, channels]. */
export function learntTokens(
  scope: Scope,
  name: string,
  [batch, count, channels]: readonly [number, number, number],
): tf.Tensor3D {
  const tokens = scope.param<tf.Rank.R3>(name, [1, count, channels], normal(1e-6));
  return tokens.broadcastTo([batch, count, channels]);
}
