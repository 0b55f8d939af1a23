// Experts that are whole encoders, and the gates that mix them: what MMoE, CGC, PLE and DSelect-k have in common. All
// experts see the same image. For each image a gate gives every expert a weight, and a task's pyramid is the weighted
// sum of the experts' pyramids, with the same weights on every level.
import * as tf from '../../registry/tf.js';
import { MtcpError, type Backbone, type FeatureMap, type Pyramid, type Scope } from '../../registry/index.js';
import { linear } from './layers.js';

/** The option that all gates have; a component's schema takes it over. */
export const gateGrid = {
  type: ['integer', 'null'],
  minimum: 1,
  default: null,
  description:
    'A gate sees the image averaged to this many rows and columns; null: every pixel, as in LibMTL, which ties the number of parameters to the size of the image.',
} as const;

/** Encoders of the same kind. */
export const expertCount = { type: 'integer', minimum: 1, maximum: 64 } as const;

/**
 * What a gate sees of a map: one vector for each image, channel by channel as PyTorch flattens.
 * @param x [batch, height, width, channels]
 * @param grid rows and columns to average to; null: all
 * @throws MtcpError `component` if the grid does not divide the map
 */
export function gateInput(x: tf.Tensor4D, grid: number | null): tf.Tensor2D {
  const [batch, height, width, channels] = x.shape;
  if (grid !== null && (height % grid !== 0 || width % grid !== 0))
    throw new MtcpError('component', `a gate cannot average ${height}x${width} to ${grid}x${grid}`, {
      option: 'gate_grid',
      hint: 'it must divide both sides of every map that a gate sees',
    });
  const cells =
    grid === null
      ? x
      : (x.reshape([batch, grid, height / grid, grid, width / grid, channels]).mean([2, 4]) as tf.Tensor4D);
  return cells.transpose([0, 3, 1, 2]).reshape([batch, -1]);
}

/** A softmax over `experts`, [batch, experts], from `input`, [batch, numbers]. */
export function softmaxGate(scope: Scope, input: tf.Tensor2D, experts: number): tf.Tensor2D {
  return tf.softmax(linear(scope, input, experts));
}

/**
 * The weighted sum of maps of one size.
 * @param weights [batch, experts]
 */
export function mixMaps(weights: tf.Tensor2D, maps: readonly FeatureMap[]): FeatureMap {
  const batch = weights.shape[0];
  const shares = tf.split(weights, maps.length, 1).map((share) => share.reshape([batch, 1, 1, 1]));
  const data = tf.addN(maps.map((map, i) => map.data.mul(shares[i]))) as tf.Tensor4D;
  return { data, stride: maps[0].stride };
}

/** The weighted sum of pyramids, level by level; `weights` [batch, experts]. */
export function mixPyramids(weights: tf.Tensor2D, pyramids: readonly Pyramid[]): Pyramid {
  return pyramids[0].map((_, level) =>
    mixMaps(
      weights,
      pyramids.map((pyramid) => pyramid[level]),
    ),
  );
}

/**
 * The pyramids of `count` encoders, with parameters below `scope.0`, `scope.1`, ...
 * @param image [batch, height, width, 3]
 */
export function encodeAll(
  encoder: Backbone,
  scope: Scope,
  image: FeatureMap,
  count: number,
  who: string,
): Pyramid[] {
  return Array.from({ length: count }, (_, i) => sharedPyramid(encoder, scope.at(`${i}`), image, who));
}

/**
 * The pyramid of an encoder inside another backbone.
 * @param image [batch, height, width, 3]
 * @throws MtcpError `component` in the name of `who` if it has one for each task
 */
export function sharedPyramid(encoder: Backbone, scope: Scope, image: FeatureMap, who: string): Pyramid {
  const encoded = encoder.forward(scope, image);
  if ('shared' in encoded) return encoded.shared;
  throw new MtcpError('component', `${who}: its encoder has an encoder for each task itself`);
}
