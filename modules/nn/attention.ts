// Multi-head scaled dot-product attention (Vaswani et al. 2017) over token sequences.
import * as tf from '../../registry/tf.js';
import { MtcpError } from '../../registry/index.js';

/** [batch, n, channels] -> [batch, heads, n, channels / heads] */
export function splitHeads(x: tf.Tensor3D, heads: number): tf.Tensor4D {
  const [batch, n, channels] = x.shape;
  return x.reshape([batch, n, heads, channelsOfHead(channels, heads)]).transpose([0, 2, 1, 3]);
}

/** @throws MtcpError `component` if the heads cannot have equally many channels */
export function channelsOfHead(channels: number, heads: number): number {
  if (channels % heads === 0) return channels / heads;
  throw new MtcpError('component', `${heads} attention heads cannot share ${channels} channels evenly`, {
    hint: `the number of heads must divide ${channels}`,
  });
}

/** [batch, heads, n, d] -> [batch, n, heads * d] */
export function mergeHeads(x: tf.Tensor4D): tf.Tensor3D {
  const [batch, heads, n, d] = x.shape;
  return x.transpose([0, 2, 1, 3]).reshape([batch, n, heads * d]);
}

/**
 * softmax(q k^T / sqrt(d) + bias) v for each head.
 * @param q [batch, n, channels]
 * @param k [batch, m, channels]
 * @param v [batch, m, channels]
 * @param bias broadcasts to [batch, heads, n, m]; a large negative number blocks a position
 * @returns [batch, n, channels]
 */
export function attention(
  q: tf.Tensor3D,
  k: tf.Tensor3D,
  v: tf.Tensor3D,
  heads: number,
  bias?: tf.Tensor,
): tf.Tensor3D {
  const scale = 1 / Math.sqrt(q.shape[2] / heads);
  if (!bias && q.shape[1] === 1 && k.shape[1] <= FEW_KEYS) return ofOneQuery(q.mul(scale), k, v, heads);
  return mergeHeads(attendHeads(splitHeads(q, heads), splitHeads(k, heads), splitHeads(v, heads), bias));
}

/** The same with heads apart: all are [batch, heads, n or m, d]. */
export function attendHeads(q: tf.Tensor4D, k: tf.Tensor4D, v: tf.Tensor4D, bias?: tf.Tensor): tf.Tensor4D {
  const scores = tf.matMul(q.mul(1 / Math.sqrt(q.shape[3])), k, false, true);
  return tf.matMul(tf.softmax(bias ? scores.add(bias) : scores), v) as tf.Tensor4D;
}

/** Keys up to which a single query's products are not worth a matrix product for every head of every sequence. */
const FEW_KEYS = 8;

/** The same for one query and a few keys, by arithmetic on whole tensors. */
function ofOneQuery(q: tf.Tensor3D, k: tf.Tensor3D, v: tf.Tensor3D, heads: number): tf.Tensor3D {
  const [batch, keys, channels] = k.shape;
  const split = (x: tf.Tensor3D) => x.reshape([batch, -1, heads, channelsOfHead(channels, heads)]);
  const scores = split(q).mul(split(k)).sum(3).transpose([0, 2, 1]);
  const weights = tf.softmax(scores).transpose([0, 2, 1]).reshape([batch, keys, heads, 1]);
  return weights.mul(split(v)).sum(1).reshape([batch, 1, channels]);
}
