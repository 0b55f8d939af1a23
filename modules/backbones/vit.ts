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
import { normal } from '../nn/initializers.js';
import { layerNorm } from '../nn/layers.js';
import { dropPathOf, embedPatches, vitOptions, vitSize, type VitSize } from '../nn/vit-encoder.js';
import { VIT_EPSILON, vitBlock } from '../nn/vit.js';

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
  readonly #size: VitSize;

  constructor(@options() private readonly options: OptionsOf<typeof schema>) {
    this.#size = vitSize('vit', options);
  }

  forward(scope: Scope, image: FeatureMap): { shared: Pyramid } {
    const { patch, mlp_ratio: mlpRatio, drop_path: dropPath } = this.options;
    const { channels, depth, heads, taps } = this.#size;
    const { map: patches, positions } = embedPatches(scope, 'vit', image, channels, this.options);
    const [batch, rows, columns] = patches.shape;
    const places = patches.reshape([batch, rows * columns, channels]) as tf.Tensor3D;
    let x = this.options.class_token
      ? (tf.concat([this.#classToken(scope, batch), places], 1).add(positions) as tf.Tensor3D)
      : (places.add(tf.slice(positions, [0, 1, 0], [-1, -1, -1])) as tf.Tensor3D);

    const maps: FeatureMap[] = [];
    for (let i = 0; i < depth; i++) {
      const drop = dropPathOf(dropPath, i, depth);
      x = vitBlock(scope.at(`blocks.${i}`), x, { heads, mlpRatio, dropPath: drop });
      if (!taps.includes(i + 1)) continue;
      const tokens = i === depth - 1 ? layerNorm(scope.at('norm'), x, VIT_EPSILON) : x;
      const first = Number(this.options.class_token);
      const map = tf.slice(tokens, [0, first, 0], [-1, -1, -1]).reshape([batch, rows, columns, channels]);
      maps.push({ data: map as tf.Tensor4D, stride: patch * image.stride });
    }
    return { shared: maps };
  }

  #classToken(scope: Scope, batch: number): tf.Tensor3D {
    const { channels } = this.#size;
    const shape: [number, number, number] = [1, 1, channels];
    return scope.param<tf.Rank.R3>('cls_token', shape, normal(1e-6)).broadcastTo([batch, 1, channels]);
  }
}
