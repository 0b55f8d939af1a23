// Mask2Former as MT-CP's shared backbone: image -> R, one map at stride 4 (paper section 3.2).
//
// "Project the masks onto the pixel embeddings and sum over the instances" can only mean, shape by shape, that
// R is the pixel embedding E of each position times the sum of all masks there; and because a mask is the product
// of E with a query's mask embedding, that sum is one product of E with the summed embeddings.
import * as tf from '../../registry/tf.js';
import {
  component,
  Configured,
  defineOptions,
  type Backbone,
  type FeatureMap,
  type OptionsOf,
  type Pyramid,
  type Scope,
} from '../../registry/index.js';
import { swinEncoder } from '../nn/swin-encoder.js';
import { stagesOption, SWIN_VARIANTS } from '../nn/swin-variants.js';
import { dropPathOption, mlpRatioOption, windowOption } from '../nn/transformer-options.js';
import { mask2formerCheckpoint } from '../checkpoints/mask2former.js';
import { flatten, pixelDecoder } from '../nn/mask2former/pixel-decoder.js';
import { transformerDecoder } from '../nn/mask2former/transformer-decoder.js';

const schema = defineOptions({
  variant: {
    enum: ['paper', 'code'],
    default: 'paper',
    description:
      "Which masks make R: of every decoder prediction (the paper's words) or of the last one (the released code). Sets the default of mask_layers.",
  },
  mask_layers: {
    enum: ['mean', 'last', null],
    default: null,
    description:
      'Average the masks over all decoder predictions, or take the last; null: as the variant says.',
  },
  mask_activation: {
    enum: ['none', 'sigmoid'],
    default: 'none',
    description: 'Sum mask logits as they are, or after a sigmoid.',
  },
  mask_reduce: {
    enum: ['sum', 'mean'],
    default: 'sum',
    description:
      "Sum the masks over the queries, as the paper words it, or average them, which keeps R on the scale of the pixel embeddings: without pretrained weights a sum over many queries drowns what the decoders' blocks add to it.",
  },
  channels: {
    type: 'integer',
    minimum: 2,
    default: 256,
    description: 'Channels of the pixel decoder, the queries and R.',
  },
  heads: { type: 'integer', minimum: 1, default: 8, description: 'Attention heads of both decoders.' },
  groups: {
    type: 'integer',
    minimum: 1,
    default: 32,
    description: "Groups of the pixel decoder's group normalisation.",
  },
  encoder: {
    type: 'object',
    default: {},
    description: 'The Swin encoder; defaults are Swin-S.',
    properties: {
      embed: {
        type: 'integer',
        minimum: 1,
        default: SWIN_VARIANTS.s.embed,
        description: 'Channels of the first stage.',
      },
      depths: stagesOption(SWIN_VARIANTS.s.depths, 'Blocks of each stage.'),
      heads: stagesOption(SWIN_VARIANTS.s.heads, 'Attention heads of each stage.'),
      window: windowOption,
      mlp_ratio: mlpRatioOption,
      drop_path: dropPathOption(0.3),
    },
  },
  pixel_decoder: {
    type: 'object',
    default: {},
    description: 'Multi-scale deformable attention over strides 32, 16 and 8.',
    properties: {
      layers: { type: 'integer', minimum: 1, default: 6, description: 'Deformable attention layers.' },
      feedforward: {
        type: 'integer',
        minimum: 1,
        default: 1024,
        description: 'Hidden width of their feed-forward parts.',
      },
      points: {
        type: 'integer',
        minimum: 1,
        default: 4,
        description: 'Points read on each level by each head.',
      },
    },
  },
  transformer_decoder: {
    type: 'object',
    default: {},
    description: 'Masked attention.',
    properties: {
      layers: {
        type: 'integer',
        minimum: 1,
        default: 9,
        description: 'Layers; there is one mask prediction more than layers.',
      },
      feedforward: {
        type: 'integer',
        minimum: 1,
        default: 2048,
        description: 'Hidden width of the feed-forward parts.',
      },
      queries: { type: 'integer', minimum: 1, default: 100, description: 'Object queries.' },
    },
  },
});

@component({
  kind: 'backbone',
  name: 'mask2former',
  summary:
    'Mask2Former with a Swin encoder; gives R, pixel embeddings weighted by the sum of all masks, at stride 4.',
  source:
    'MT-CP section 3.2; Cheng et al. 2022, "Masked-attention Mask Transformer for Universal Image Segmentation"; structure and names of transformers\' Mask2FormerModel',
  options: schema,
  checkpoint: mask2formerCheckpoint,
  file: import.meta.url,
})
export class Mask2Former extends Configured<OptionsOf<typeof schema>> implements Backbone {
  readonly layers = { block: /\bencoder\.layers\.\d+\.blocks\.\d+\./, after: /\bhidden_states_norms\./ };

  forward(scope: Scope, image: FeatureMap): { shared: Pyramid } {
    const {
      channels,
      heads,
      groups,
      encoder,
      pixel_decoder: pixel,
      transformer_decoder: transformer,
    } = this.options;
    const level = scope.at('model.pixel_level_module');
    const pyramid = swinEncoder(level.at('encoder'), image, encoder);
    pyramid.forEach(({ data }, i) => scope.expose(`encoder.${i}`, () => data));
    const features = pixelDecoder(level.at('decoder'), pyramid, { channels, heads, groups, ...pixel });
    const embeddings = transformerDecoder(scope.at('model.transformer_module'), features, {
      heads,
      ...transformer,
    });
    const representation = this.#project(features.masks, embeddings);
    features.memory.forEach(({ data }, i) => scope.expose(`multiscale.${i}`, () => data));
    scope.expose('pixel_embeddings', () => features.masks.data);
    embeddings.forEach((e, i) => scope.expose(`masks.${i}`, () => masksOf(features.masks.data, e)));
    scope.expose('representation', () => representation.data);
    return { shared: [representation] };
  }

  /** R = E * (sum over queries of the masks), the masks averaged over predictions if asked for. */
  #project(pixels: FeatureMap, embeddings: tf.Tensor3D[]): FeatureMap {
    const { variant, mask_layers: layers, mask_activation: activation, mask_reduce: reduce } = this.options;
    const used =
      (layers ?? (variant === 'paper' ? 'mean' : 'last')) === 'mean' ? embeddings : embeddings.slice(-1);
    const [batch, height, width] = pixels.data.shape;
    const positions = flatten(pixels.data);
    const share = reduce === 'mean' ? used.length * used[0].shape[1] : used.length;
    const weight =
      activation === 'none'
        ? tf.matMul(positions, tf.addN(used.map((e) => e.sum(1, true))).div(share), false, true)
        : tf.addN(used.map((e) => tf.matMul(positions, e, false, true).sigmoid().sum(-1, true))).div(share);
    return { ...pixels, data: pixels.data.mul(weight.reshape([batch, height, width, 1])) };
  }
}

/** Mask logits of every query, [batch, height, width, queries]. */
function masksOf(pixels: tf.Tensor4D, embeddings: tf.Tensor3D): tf.Tensor4D {
  const [batch, height, width] = pixels.shape;
  return tf.matMul(flatten(pixels), embeddings, false, true).reshape([batch, height, width, -1]);
}
