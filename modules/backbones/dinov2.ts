// DINOv2 (Oquab et al. 2024): a vision transformer with layer scale and patches of 14, trained without labels; with registers
// (Darcet et al. 2024), tokens that take the global content which would otherwise end up in single patches.
import * as tf from '../../registry/tf.js';
import {
  component,
  defineOptions,
  options,
  type Backbone,
  type FeatureMap,
  type OptionsOf,
  type Pyramid,
  type Scope,
} from '../../registry/index.js';
import { dinov2Checkpoint } from '../checkpoints/dinov2.js';
import { DINOV2_VARIANTS } from '../nn/dino-variants.js';
import {
  embedPatches,
  encodeTokens,
  gridOption,
  learntTokens,
  positionTable,
  tokenOptions,
  TOKEN_LAYERS,
  vitSize,
  type VitSize,
} from '../nn/vit-encoder.js';

const schema = defineOptions({
  variant: {
    enum: ['s', 'b', 'l', 'g'],
    default: 'b',
    description: 'ViT-S, B, L or g: sets the defaults of channels, depth, heads, hidden and mlp.',
  },
  ...tokenOptions,
  hidden: {
    type: ['integer', 'null'],
    minimum: 1,
    default: null,
    description: "Width inside the blocks' MLPs. null: of the variant, or four times the channels.",
  },
  mlp: {
    enum: ['gelu', 'swiglu', null],
    default: null,
    description: 'Two layers with a GELU, or a gated unit as ViT-g has. null: of the variant.',
  },
  registers: {
    type: 'integer',
    minimum: 0,
    default: 0,
    description: 'Register tokens; checkpoints with registers have 4.',
  },
  class_position: {
    type: 'boolean',
    default: true,
    description:
      "Whether the position table begins with the class token's; timm's files with registers have it added to the token.",
  },
  antialias: {
    type: ['boolean', 'null'],
    default: null,
    description:
      'Whether the position table is shrunk with antialiasing (timm) or without (transformers). null: as DINOv2 does, with it where there are registers.',
  },
  patch: { type: 'integer', minimum: 1, default: 14, description: 'Side of a patch in pixels.' },
  grid: gridOption([37, 37], 'Checkpoints are for 518x518.'),
});

@component({
  kind: 'backbone',
  name: 'dinov2',
  summary:
    'DINOv2 vision transformer; token maps at several depths, all normalised, at the stride of a patch.',
  source: 'Oquab et al. 2024, Darcet et al. 2024; names and arithmetic of facebookresearch/dinov2',
  options: schema,
  checkpoint: dinov2Checkpoint,
  file: import.meta.url,
})
export class DinoV2 implements Backbone {
  readonly layers = TOKEN_LAYERS;
  readonly #size: VitSize;

  constructor(@options() private readonly options: OptionsOf<typeof schema>) {
    this.#size = vitSize('dinov2', DINOV2_VARIANTS[options.variant], options);
  }

  forward(scope: Scope, image: FeatureMap): { shared: Pyramid } {
    const { variant, patch, registers, drop_path: dropPath, class_position: classToken } = this.options;
    const { channels } = this.#size;
    const patches = embedPatches(scope, 'dinov2', image, channels, patch);
    const [batch, rows, columns] = patches.shape;
    const flat = patches.reshape([batch, rows * columns, channels]);
    const antialias = this.options.antialias ?? registers > 0;
    const table = { grid: this.options.grid, classToken, antialias };
    const positions = positionTable(scope, table, [rows, columns], channels);
    const own = learntTokens(scope, 'cls_token', [batch, 1, channels]);
    const placed = classToken
      ? tf.concat([own, flat], 1).add(positions)
      : tf.concat([own, flat.add(positions)], 1);
    const tokens =
      registers === 0
        ? placed
        : this.#withRegisters(scope, placed as tf.Tensor3D, [batch, registers, channels]);
    const preset = DINOV2_VARIANTS[variant];
    const maps = encodeTokens(scope, tokens as tf.Tensor3D, [rows, columns], {
      ...this.#size,
      blocks: {
        hidden: this.options.hidden ?? (this.options.channels === null ? preset.hidden : 4 * channels),
        mlp: this.options.mlp ?? preset.mlp,
        layerScale: 1e-5,
      },
      dropPath,
      prefix: 1 + registers,
      normalizeAll: true,
    });
    return { shared: maps.map((data) => ({ data, stride: patch * image.stride })) };
  }

  /** Registers come between the class token and the patches. */
  #withRegisters(scope: Scope, tokens: tf.Tensor3D, shape: readonly [number, number, number]): tf.Tensor {
    const [own, rest] = tf.split(tokens, [1, tokens.shape[1] - 1], 1);
    return tf.concat([own, learntTokens(scope, 'register_tokens', shape), rest], 1);
  }
}
