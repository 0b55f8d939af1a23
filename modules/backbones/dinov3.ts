// DINOv3's vision transformers (Siméoni et al. 2025): patches of 16, registers, layer scale, and rotary positions, so that
// any image size is as good as another.
import * as tf from '../../registry/tf.js';
import {
  component,
  defineOptions,
  MtcpError,
  options,
  type Backbone,
  type FeatureMap,
  type OptionsOf,
  type Pyramid,
  type Scope,
} from '../../registry/index.js';
import { dinov3Checkpoint } from '../checkpoints/dinov3.js';
import { DINOV3_VARIANTS } from '../nn/dino-variants.js';
import { patchRotation } from '../nn/rotary.js';
import {
  embedPatches,
  encodeTokens,
  learntTokens,
  TOKEN_LAYERS,
  tokenOptions,
  vitSize,
  type VitSize,
} from '../nn/vit-encoder.js';

const schema = defineOptions({
  variant: {
    enum: ['s', 's+', 'b', 'l', 'h+', '7b'],
    default: 'b',
    description:
      'ViT-S, S+, B, L, H+ or 7B: sets the defaults of channels, depth, heads, hidden, mlp and biases.',
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
    description: 'Two layers with a GELU, or a gated unit as S+, H+ and 7B have. null: of the variant.',
  },
  biases: {
    enum: ['qv', 'none', null],
    default: null,
    description: 'Whether queries and values have a bias; keys never do. null: of the variant.',
  },
  registers: { type: 'integer', minimum: 0, default: 4, description: 'Register tokens.' },
  patch: { type: 'integer', minimum: 1, default: 16, description: 'Side of a patch in pixels.' },
  base: {
    type: 'number',
    exclusiveMinimum: 1,
    default: 100,
    description: 'Largest period of the rotary positions.',
  },
});

const EPSILON = 1e-5;

@component({
  kind: 'backbone',
  name: 'dinov3',
  summary:
    'DINOv3 vision transformer; token maps at several depths, all normalised, at the stride of a patch.',
  source:
    "Siméoni et al. 2025; arithmetic of transformers' DINOv3ViT, without its random positions in training",
  options: schema,
  checkpoint: dinov3Checkpoint,
  file: import.meta.url,
})
export class DinoV3 implements Backbone {
  readonly layers = TOKEN_LAYERS;
  readonly #size: VitSize;

  constructor(@options() private readonly options: OptionsOf<typeof schema>) {
    this.#size = vitSize('dinov3', DINOV3_VARIANTS[options.variant], options);
    const width = this.#size.channels / this.#size.heads;
    if (width % 4 !== 0)
      throw new MtcpError(
        'component',
        `backbone dinov3: rotary positions need heads of 4, 8, ... channels, not ${width}`,
      );
  }

  forward(scope: Scope, image: FeatureMap): { shared: Pyramid } {
    const { variant, patch, registers, base, drop_path: dropPath } = this.options;
    const { channels, heads } = this.#size;
    const patches = embedPatches(scope, 'dinov3', image, channels, patch);
    const [batch, rows, columns] = patches.shape;
    const first = [learntTokens(scope, 'cls_token', [batch, 1, channels])];
    if (registers > 0) first.push(learntTokens(scope, 'register_tokens', [batch, registers, channels]));
    const tokens = tf.concat([...first, patches.reshape([batch, rows * columns, channels])], 1);
    const preset = DINOV3_VARIANTS[variant];
    const prefix = 1 + registers;
    const maps = encodeTokens(scope, tokens as tf.Tensor3D, [rows, columns], {
      ...this.#size,
      blocks: {
        hidden: this.options.hidden ?? (this.options.channels === null ? preset.hidden : 4 * channels),
        mlp: this.options.mlp ?? preset.mlp,
        biases: this.options.biases ?? preset.biases,
        layerScale: 1e-5,
        epsilon: EPSILON,
        rotation: patchRotation(prefix, [rows, columns], channels / heads, base),
      },
      dropPath,
      prefix,
      normalizeAll: true,
    });
    return { shared: maps.map((data) => ({ data, stride: patch * image.stride })) };
  }
}
