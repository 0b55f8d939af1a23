// softmax(q k^T) v over all positions of a map, without ever holding the whole affinity matrix: query tiles in
// the forward pass, and in the backward pass each tile's affinities are computed again from q and k (as in
// FlashAttention, Dao et al. 2022). At 120x160 the full matrix would be 1.5 GB per sample and task.
import * as tf from '../../../registry/tf.js';
import { OPERATIONS } from '../../../registry/contracts/operations.js';
import { holdsWhole, recomputed } from './recomputed.js';
import { after } from './after.js';
import { defineOp } from './op.js';

const op = defineOp(OPERATIONS.SoftmaxAffinity, {
  keep: ['y'],
  composite({ q, k, v }, { tile }) {
    return tf.concat(
      tilesOf(q, tile).map((part) => tf.matMul(affinity(part, k), v)),
      1,
    );
  },
  gradient([dy], { q, k, v }, { y }, { tile }) {
    // With S = softmax(A), A = q k^T:  dv = S^T dy,  dS = dy v^T,  dA = S (dS - rowsum(dS S)); the row sum is
    // dy . y, which needs no affinities.
    const along = dy.mul(y).sum(-1, true) as tf.Tensor3D;
    const [upstreams, sums] = [tilesOf(dy as tf.Tensor3D, tile), tilesOf(along, tile)];
    const dq: tf.Tensor[] = [];
    // Sums run along: the tiles' shares of dk and dv are as large as dk and dv.
    let [dk, dv]: [tf.Tensor?, tf.Tensor?] = [];
    tilesOf(q, tile).forEach((own, i) => {
      const part = i === 0 ? own : after(own, [dq[i - 1], dk!, dv!]);
      const s = recomputed(() => affinity(part, k));
      const dA = s.mul(tf.matMul(upstreams[i], v, false, true).sub(sums[i])) as tf.Tensor3D;
      dq.push(tf.matMul(dA, k));
      dk = plus(dk, tf.matMul(dA, part, true, false));
      dv = plus(dv, tf.matMul(s, upstreams[i], true, false));
    });
    return { q: () => tf.concat(dq, 1), k: () => dk!, v: () => dv! };
  },
});

function plus(sum: tf.Tensor | undefined, term: tf.Tensor): tf.Tensor {
  return sum ? sum.add(term) : term;
}

function affinity(q: tf.Tensor3D, k: tf.Tensor3D): tf.Tensor3D {
  return tf.softmax(tf.matMul(q, k, false, true)) as tf.Tensor3D;
}

function tilesOf(x: tf.Tensor3D, tile: number): tf.Tensor3D[] {
  const n = x.shape[1];
  if (n <= tile) return [x];
  const sizes = Array.from({ length: Math.ceil(n / tile) }, (_, i) => Math.min(tile, n - i * tile));
  return tf.split(x, sizes, 1) as tf.Tensor3D[];
}

/** Affinities of a tile kept below this many numbers (32 MB). */
const TILE_ELEMENTS = 8 << 20;

/**
 * @param q [batch, n, channels]
 * @param k [batch, m, channels]
 * @param v [batch, m, values]
 * @param tileElements affinities held at a time
 * @returns `[batch, n, values]`: each position of q mixes v by its affinity to the positions of k
 */
export function softmaxAffinity(
  q: tf.Tensor3D,
  k: tf.Tensor3D,
  v: tf.Tensor3D,
  tileElements = holdsWhole() ? Infinity : TILE_ELEMENTS,
): tf.Tensor3D {
  const [batch, n] = q.shape;
  const tile = Math.max(1, Math.floor(tileElements / (batch * k.shape[1])));
  if (n <= tile) return tf.matMul(affinity(q, k), v) as tf.Tensor3D;
  // Tiles of equal size: the last one is not a remnant.
  return op({ q, k, v }, { tile: Math.ceil(n / Math.ceil(n / tile)) })[0] as tf.Tensor3D;
}
