// The plain vision transformer (Dosovitskiy et al. 2021) as an encoder for dense prediction: token maps tapped at
// several depths, all at stride 16.
import * as tf from '@tensorflow/tfjs';
import { component, options, type OptionsOf } from '../../registry/component.js';
import type { Backbone } from '../../registry/contracts/blocks.js';
import type { FeatureMap, Pyramid } from '../../registry/contracts/features.js';
import type { Scope } from '../../registry/contracts/scope.js';
import { MtcpError } from '../../registry/errors.js';
import type { OptionsSchema } from '../../registry/options.js';
import { vitCheckpoint } from './checkpoints/vit.js';
import { normal, truncatedNormal } from '../nn/initializers.js';
import { conv2d, layerNorm } from '../nn/layers.js';
import { resizeBicubic } from '../nn/resize.js';
import { dropPathOption } from '../nn/transformer-options.js';
import { VIT_EPSILON, vitBlock, vitInit } from '../nn/vit.js';

const schema = {
  type: 'object',
  additionalProperties: false,
  properties: {
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
    class_token: {
      type: 'boolean',
      default: true,
      description: 'Run the class token along; its place in the position table is kept in any case.',
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
  },
  required: [
    'variant',
    'class_token',
    'channels',
    'depth',
    'heads',
    'taps',
    'patch',
    'mlp_ratio',
    'drop_path',
    'grid',
  ],
} as const satisfies OptionsSchema;

const VARIANTS = {
  s: { channels: 384, depth: 12, heads: 6 },
  b: { channels: 768, depth: 12, heads: 12 },
  l: { channels: 1024, depth: 24, heads: 16 },
} as const;

@component({
  kind: 'backbone',
  name: 'vit',
  summary: 'Plain vision transformer; token maps at several depths, all at the stride of a patch.',
  source: "Dosovitskiy et al. 2021; names and arithmetic of timm's VisionTransformer",
  options: schema,
  checkpoint: vitCheckpoint,
})
export class Vit implements Backbone {
  readonly #channels: number;
  readonly #depth: number;
  readonly #heads: number;
  readonly #taps: readonly number[];

  constructor(@options() private readonly options: OptionsOf<typeof schema>) {
    const variant = VARIANTS[options.variant];
    this.#channels = options.channels ?? variant.channels;
    this.#depth = options.depth ?? variant.depth;
    this.#heads = options.heads ?? variant.heads;
    this.#taps = options.taps ?? [1, 2, 3, 4].map((n) => Math.max(1, Math.round((n * this.#depth) / 4)));
    const outside = this.#taps.find((tap) => tap > this.#depth);
    if (outside !== undefined)
      throw new MtcpError('component', `backbone vit: there is no block ${outside} to tap`, {
        hint: `it has ${this.#depth} blocks`,
      });
    if (this.#channels % this.#heads !== 0)
      throw new MtcpError(
        'component',
        `backbone vit: ${this.#channels} channels are not ${this.#heads} equal heads`,
      );
  }

  forward(scope: Scope, image: FeatureMap): { shared: Pyramid } {
    const { patch, mlp_ratio: mlpRatio, drop_path: dropPath } = this.options;
    const [batch, height, width] = image.data.shape;
    if (height % patch !== 0 || width % patch !== 0)
      throw new MtcpError('component', `backbone vit: ${height}x${width} is not whole patches of ${patch}`, {
        hint: 'choose augment.size accordingly',
      });
    const channels = this.#channels;
    const patches = conv2d(scope.at('patch_embed.proj'), image.data, channels, {
      kernel: patch,
      stride: patch,
      ...vitInit,
    });
    const [, rows, columns] = patches.shape;
    const positions = this.#positions(scope, rows, columns);
    const places = patches.reshape([batch, rows * columns, channels]) as tf.Tensor3D;
    let x = this.options.class_token
      ? (tf.concat([this.#classToken(scope, batch), places], 1).add(positions) as tf.Tensor3D)
      : (places.add(tf.slice(positions, [0, 1, 0], [-1, -1, -1])) as tf.Tensor3D);

    const maps: FeatureMap[] = [];
    for (let i = 0; i < this.#depth; i++) {
      const drop = (dropPath * i) / Math.max(1, this.#depth - 1);
      x = vitBlock(scope.at(`blocks.${i}`), x, { heads: this.#heads, mlpRatio, dropPath: drop });
      if (!this.#taps.includes(i + 1)) continue;
      const tokens = i === this.#depth - 1 ? layerNorm(scope.at('norm'), x, VIT_EPSILON) : x;
      const first = Number(this.options.class_token);
      const map = tf.slice(tokens, [0, first, 0], [-1, -1, -1]).reshape([batch, rows, columns, channels]);
      maps.push({ data: map as tf.Tensor4D, stride: patch * image.stride });
    }
    return { shared: maps };
  }

  #classToken(scope: Scope, batch: number): tf.Tensor3D {
    const shape: [number, number, number] = [1, 1, this.#channels];
    return scope.param<tf.Rank.R3>('cls_token', shape, normal(1e-6)).broadcastTo([batch, 1, this.#channels]);
  }

  /** Learnt positions of the class token and of every patch, [1, 1 + rows * columns, channels]. */
  #positions(scope: Scope, rows: number, columns: number): tf.Tensor3D {
    const [tableRows, tableColumns] = this.options.grid;
    const channels = this.#channels;
    const shape = [1, 1 + tableRows * tableColumns, channels];
    const table = scope.param<tf.Rank.R3>('pos_embed', shape, truncatedNormal(0.02));
    if (rows === tableRows && columns === tableColumns) return table;
    const [first, rest] = tf.split(table, [1, tableRows * tableColumns], 1);
    const grid = rest.reshape([1, tableRows, tableColumns, channels]) as tf.Tensor4D;
    const resized = resizeBicubic(grid, [rows, columns]).reshape([1, rows * columns, channels]);
    return tf.concat([first, resized], 1) as tf.Tensor3D;
  }
}
