// The plain vision transformer (Dosovitskiy et al. 2021) as an encoder for dense prediction: token maps tapped at
// several depths, all at stride 16.
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
import { vitCheckpoint } from '../checkpoints/vit.js';
import {
  embedPatches,
  encodeTokens,
  learntTokens,
  positionTable,
  VIT_VARIANTS,
  vitOptions,
  TOKEN_LAYERS,
  vitSize,
  type VitSize,
} from '../nn/vit-encoder.js';

const schema = defineOptions({
  class_token: {
    type: 'boolean',
    default: true,
    description: 'Run the class token along; its place in the position table is kept in any case.',
  },
  ...vitOptions,
});

@component({
  kind: 'backbone',
  name: 'vit',
  summary: 'Plain vision transformer; token maps at several depths, all at the stride of a patch.',
  source: "Dosovitskiy et al. 2021; names and arithmetic of timm's VisionTransformer",
  options: schema,
  checkpoint: vitCheckpoint,
  file: import.meta.url,
})
export class Vit implements Backbone {
  readonly layers = TOKEN_LAYERS;
  readonly #size: VitSize;

  constructor(@options() private readonly options: OptionsOf<typeof schema>) {
    this.#size = vitSize('vit', VIT_VARIANTS[options.variant], options);
  }

  forward(scope: Scope, image: FeatureMap): { shared: Pyramid } {
    const { patch, mlp_ratio: mlpRatio, drop_path: dropPath, class_token: classToken } = this.options;
    const { channels } = this.#size;
    const patches = embedPatches(scope, 'vit', image, channels, patch);
    const [batch, rows, columns] = patches.shape;
    const positions = positionTable(scope, this.options, [rows, columns], channels);
    const flat = patches.reshape([batch, rows * columns, channels]) as tf.Tensor3D;
    const tokens = classToken
      ? tf.concat([learntTokens(scope, 'cls_token', [batch, 1, channels]), flat], 1).add(positions)
      : flat.add(tf.slice(positions, [0, 1, 0], [-1, -1, -1]));
    const maps = encodeTokens(scope, tokens as tf.Tensor3D, [rows, columns], {
      ...this.#size,
      blocks: { hidden: channels * mlpRatio },
      dropPath,
      prefix: Number(classToken),
      normalizeAll: false,
    });
    return { shared: maps.map((data) => ({ data, stride: patch * image.stride })) };
  }
}
