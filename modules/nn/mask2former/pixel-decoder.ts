// Mask2Former's pixel decoder (Cheng et al. 2022, section 3.2.1): the three coarse encoder maps exchange
// information by multi-scale deformable attention, and one FPN step brings the result to stride 4.
import * as tf from '../../../registry/tf.js';
import type { FeatureMap, Pyramid, Scope } from '../../../registry/index.js';
import { deformableAttention } from '../deformable.js';
import { feedForward } from '../feed-forward.js';
import { normal, xavierUniform, zeros } from '../initializers.js';
import { conv2d, groupNorm, layerNorm } from '../layers.js';
import { relu } from '../ops/activations.js';
import { sinePositions } from '../position.js';
import { resizeBilinear } from '../resize.js';

export interface PixelDecoderOptions {
  channels: number;
  heads: number;
  groups: number;
  layers: number;
  feedforward: number;
  points: number;
}

export interface PixelFeatures {
  /** Pixel embeddings at stride 4, [batch, h, w, channels]. */
  masks: FeatureMap;
  /** What the transformer decoder attends to, coarse to fine (strides 32, 16, 8). */
  memory: Pyramid;
}

const LEVELS = 3;
const convInit = { weightInit: xavierUniform, biasInit: zeros };

/**
 * The pixel decoder with the parameter names of transformers' Mask2FormerPixelDecoder.
 * @param pyramid [batch, height, width, channels] of the encoder at strides 4, 8, 16, 32; channels may differ
 * @returns maps of `options.channels` channels: at stride 4 for the masks, at 32, 16 and 8 as memory
 */
export function pixelDecoder(scope: Scope, pyramid: Pyramid, options: PixelDecoderOptions): PixelFeatures {
  const { channels, heads, groups, layers, feedforward, points } = options;
  const coarse = pyramid.slice(-LEVELS).reverse();
  const sizes = coarse.map(({ data }) => [data.shape[1], data.shape[2]] as const);
  const batch = coarse[0].data.shape[0];

  const projected = coarse.map(({ data }, i) => {
    const projection = scope.at(`input_projections.${i}`);
    return groupNorm(
      projection.at('1'),
      conv2d(projection.at('0'), data, channels, { kernel: 1, ...convInit }),
      groups,
    );
  });
  const levelEmbed = scope.param<tf.Rank.R2>('level_embed', [LEVELS, channels], normal(1));
  const positions = tf.concat(
    sizes.map(([h, w], i) => sinePositions(h, w, channels).add(tf.slice(levelEmbed, [i, 0], [1, channels]))),
    1,
  ) as tf.Tensor3D;
  let x = tf.concat(projected.map(flatten), 1) as tf.Tensor3D;
  const references = cellCentres(sizes);
  for (let i = 0; i < layers; i++) {
    const layer = scope.at(`encoder.layers.${i}`);
    const queries = x.add(positions) as tf.Tensor3D;
    const attended = deformableAttention(layer.at('self_attn'), queries, x, references, {
      heads,
      points,
      levels: sizes,
    });
    x = layerNorm(layer.at('self_attn_layer_norm'), x.add(attended) as tf.Tensor3D);
    const outcome = feedForward(layer.at('fc1'), layer.at('fc2'), x, {
      hidden: feedforward,
      activation: 'relu',
    });
    x = layerNorm(layer.at('final_layer_norm'), x.add(outcome) as tf.Tensor3D);
  }

  const lengths = sizes.map(([h, w]) => h * w);
  const memory = (tf.split(x, lengths, 1) as tf.Tensor3D[]).map((tokens, i) => ({
    data: tokens.reshape([batch, ...sizes[i], channels]) as tf.Tensor4D,
    stride: coarse[i].stride,
  }));

  const fine = pyramid[pyramid.length - 1 - LEVELS];
  const adapter = scope.at('adapter_1');
  const lateral = groupNorm(
    adapter.at('1'),
    conv2d(adapter.at('0'), fine.data, channels, { kernel: 1, bias: false, ...convInit }),
    groups,
  );
  const size = [lateral.shape[1], lateral.shape[2]] as const;
  const summed = lateral.add(resizeBilinear(memory[LEVELS - 1].data, size)) as tf.Tensor4D;
  const output = scope.at('layer_1');
  const smoothed = conv2d(output.at('0'), summed, channels, {
    kernel: 3,
    padding: 1,
    bias: false,
    ...convInit,
  });
  const fpn = relu(groupNorm(output.at('1'), smoothed, groups));
  const masks = conv2d(scope.at('mask_projection'), fpn, channels, { kernel: 1, ...convInit });
  return { masks: { data: masks, stride: fine.stride }, memory };
}

/** [batch, height, width, channels] to [batch, height * width, channels]. */
export function flatten(x: tf.Tensor4D): tf.Tensor3D {
  const [batch, height, width, channels] = x.shape;
  return x.reshape([batch, height * width, channels]);
}

/** (x, y) of every cell's centre, in 0..1, level after level. */
function cellCentres(sizes: readonly (readonly [number, number])[]): Float32Array {
  return Float32Array.from(
    sizes.flatMap(([height, width]) =>
      Array.from({ length: height * width }, (_, i) => [
        ((i % width) + 0.5) / width,
        (Math.floor(i / width) + 0.5) / height,
      ]).flat(),
    ),
  );
}
