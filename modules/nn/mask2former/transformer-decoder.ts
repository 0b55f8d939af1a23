// Mask2Former's transformer decoder (Cheng et al. 2022, section 3.2.2): a fixed set of queries reads the pixel
// decoder's maps, each query only where the mask it predicted before covers them (masked attention).
//
// A query's mask is the product of its embedding with the pixel embeddings. Products and bilinear resizing are
// both linear, so the masks at a level's size come from resizing the pixel embeddings once instead of every
// layer's masks, and full-size masks are only made when they are asked for.
import * as tf from '../../../registry/tf.js';
import type { Scope } from '../../../registry/index.js';
import { attention } from '../attention.js';
import { normal, xavierUniform, zeros } from '../initializers.js';
import { layerNorm, linear } from '../layers.js';
import { relu } from '../ops/activations.js';
import { detach } from '../ops/detach.js';
import { sinePositions } from '../position.js';
import { resizeBilinear } from '../resize.js';
import { flatten, type PixelFeatures } from './pixel-decoder.js';

export interface TransformerDecoderOptions {
  heads: number;
  layers: number;
  feedforward: number;
  queries: number;
}

const init = { weightInit: xavierUniform, biasInit: zeros };
/** Added to the score of a blocked position: its softmax weight becomes exactly 0. */
const BLOCK = -1e9;

/**
 * @returns the mask embeddings of every prediction: the one before the first layer and one after each layer,
 *   [batch, queries, channels] each; masks are their products with the pixel embeddings
 */
export function transformerDecoder(
  scope: Scope,
  { masks, memory }: PixelFeatures,
  { heads, layers, feedforward, queries: count }: TransformerDecoderOptions,
): tf.Tensor3D[] {
  const [batch, , , channels] = masks.data.shape;
  const queryPosition = scope.param<tf.Rank.R2>('queries_embedder.weight', [count, channels], normal(1));
  const queryFeature = scope.param<tf.Rank.R2>('queries_features.weight', [count, channels], normal(1));
  const levelEmbed = scope.param<tf.Rank.R2>('level_embed.weight', [memory.length, channels], normal(1));
  const levels = memory.map(({ data }, i) => {
    const [, height, width] = data.shape;
    const values = flatten(data).add(tf.slice(levelEmbed, [i, 0], [1, channels])) as tf.Tensor3D;
    const keys = values.add(sinePositions(height, width, channels)) as tf.Tensor3D;
    return { values, keys, pixels: detach(flatten(resizeBilinear(masks.data, [height, width]))) };
  });

  const decoder = scope.at('decoder');
  const embed = (states: tf.Tensor3D): tf.Tensor3D => {
    const predictor = decoder.shared('mask_predictor.mask_embedder');
    let x = layerNorm(decoder.shared('layernorm'), states);
    for (let i = 0; i < 3; i++) {
      x = linear(predictor.at(`${i}.0`), x, channels);
      if (i < 2) x = relu(x);
    }
    return x;
  };

  let x = queryFeature.expandDims(0).broadcastTo([batch, count, channels]) as tf.Tensor3D;
  const position = queryPosition.expandDims(0);
  const embeddings = [embed(x)];
  for (let i = 0; i < layers; i++) {
    const layer = decoder.at(`layers.${i}`);
    const level = levels[i % levels.length];
    const bias = blockedPlaces(embeddings[i], level.pixels).mul(BLOCK);
    const cross = crossAttention(
      layer.at('cross_attn'),
      x.add(position) as tf.Tensor3D,
      level.keys,
      level.values,
      heads,
      bias,
    );
    x = layerNorm(layer.at('cross_attn_layer_norm'), x.add(cross) as tf.Tensor3D);

    const self = layer.at('self_attn');
    const placed = x.add(position) as tf.Tensor3D;
    const [q, k] = ['q_proj', 'k_proj'].map((name) => linear(self.at(name), placed, channels, init));
    const mixed = attention(q, k, linear(self.at('v_proj'), x, channels, init), heads);
    x = layerNorm(
      layer.at('self_attn_layer_norm'),
      x.add(linear(self.at('out_proj'), mixed, channels, init)) as tf.Tensor3D,
    );

    const hidden = relu(linear(layer.at('fc1'), x, feedforward, init));
    x = layerNorm(
      layer.at('final_layer_norm'),
      x.add(linear(layer.at('fc2'), hidden, channels, init)) as tf.Tensor3D,
    );
    embeddings.push(embed(x));
  }
  return embeddings;
}

/**
 * 1 where a query may not look: its mask is below one half there. A query that could look nowhere looks
 * everywhere. No gradient flows through the choice.
 * @returns [batch, 1, queries, positions]
 */
function blockedPlaces(embeddings: tf.Tensor3D, pixels: tf.Tensor3D): tf.Tensor4D {
  const logits = tf.matMul(detach(embeddings), pixels, false, true);
  const blocked = tf.step(logits.neg());
  const open = blocked.mean(-1, true).less(1).cast('float32');
  return blocked.mul(open).expandDims(1);
}

/** torch.nn.MultiheadAttention, whose three input projections are one packed weight. */
function crossAttention(
  scope: Scope,
  queries: tf.Tensor3D,
  keys: tf.Tensor3D,
  values: tf.Tensor3D,
  heads: number,
  bias: tf.Tensor,
): tf.Tensor3D {
  const channels = queries.shape[2];
  const weights = tf.split(
    scope.param<tf.Rank.R2>('in_proj_weight', [3 * channels, channels], xavierUniform),
    3,
    0,
  );
  const biases = tf.split(scope.param<tf.Rank.R1>('in_proj_bias', [3 * channels], zeros), 3, 0);
  const [q, k, v] = [queries, keys, values].map((x, i) => {
    const product = tf.matMul(x.reshape([-1, channels]), weights[i] as tf.Tensor2D, false, true);
    return product.add(biases[i]).reshape(x.shape) as tf.Tensor3D;
  });
  return linear(scope.at('out_proj'), attention(q, k, v, heads, bias), channels, init);
}
