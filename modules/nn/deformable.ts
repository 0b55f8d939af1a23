// Multi-scale deformable attention (Zhu et al. 2021, Deformable DETR): every query reads a few points around
// its reference, at positions and with weights that it predicts itself, on all levels of a pyramid.
//
// Sampling is written with gathered rows: the four corners around each point are rows of the value matrix, so
// the output is a small product (corner weights x corner rows) for each query and head, and the gradient for
// positions and weights needs only the products <corner row, upstream>. All of it goes head by head, whose rows fit
// into a cache, and some queries at a time: the rows of all of them are 4 taps as large as the output. The one
// scatter (the values' gradient) adds whole rows.
import * as tf from '../../registry/tf.js';
import { recomputes } from '../../registry/contracts/memory.js';
import { OPERATIONS, type DeformableOptions } from '../../registry/contracts/operations.js';
import type { Initializer, Scope } from '../../registry/index.js';
import { xavierUniform, zeros } from './initializers.js';
import { channelsOfHead } from './attention.js';
import { linear } from './layers.js';
import { holdsWhole, recomputed } from './ops/recomputed.js';
import { defineOp } from './ops/op.js';
import { scatterShares } from './ops/scatter-shares.js';

export type { DeformableOptions };

/** Offsets start as rays: head h looks into direction h, point p at distance p + 1. */
const rays =
  (heads: number, levels: number, points: number): Initializer =>
  (values) => {
    let i = 0;
    for (let h = 0; h < heads; h++) {
      const angle = (h * 2 * Math.PI) / heads;
      const longest = Math.max(Math.abs(Math.cos(angle)), Math.abs(Math.sin(angle)));
      for (let l = 0; l < levels; l++)
        for (let p = 1; p <= points; p++) {
          values[i++] = (Math.cos(angle) / longest) * p;
          values[i++] = (Math.sin(angle) / longest) * p;
        }
    }
  };

/**
 * @param queries [batch, n, channels], with position information added
 * @param values [batch, sum of height * width, channels]
 * @param references [n, 2], (x, y) of each query in 0..1
 * @returns [batch, n, channels]
 * @throws MtcpError `component` if the heads cannot have equally many channels
 */
export function deformableAttention(
  scope: Scope,
  queries: tf.Tensor3D,
  values: tf.Tensor3D,
  references: Float32Array,
  { heads, points, levels }: DeformableOptions,
): tf.Tensor3D {
  const [batch, n, channels] = queries.shape;
  channelsOfHead(channels, heads);
  const taps = levels.length * points;
  const projected = linear(scope.at('value_proj'), values, channels, {
    weightInit: xavierUniform,
    biasInit: zeros,
  });
  const offsets = linear(scope.at('sampling_offsets'), queries, heads * taps * 2, {
    weightInit: zeros,
    biasInit: rays(heads, levels.length, points),
  });
  const scores = linear(scope.at('attention_weights'), queries, heads * taps, {
    weightInit: zeros,
    biasInit: zeros,
  });
  const weights = tf.softmax(scores.reshape([batch, n, heads, taps]));

  // In cells of each level: reference * size - 1/2 + offset (offsets are divided by the size they are
  // multiplied with again), so a reference is a constant for each query and level.
  const anchors = new Float32Array(n * taps * 2);
  for (let q = 0; q < n; q++)
    levels.forEach(([height, width], l) => {
      for (let p = 0; p < points; p++) {
        const at = (q * taps + l * points + p) * 2;
        anchors[at] = references[q * 2] * width - 0.5;
        anchors[at + 1] = references[q * 2 + 1] * height - 0.5;
      }
    });
  const positions = offsets
    .reshape([batch, n, heads, taps, 2])
    .add(tf.tensor5d(anchors, [1, n, 1, taps, 2])) as tf.Tensor5D;
  const sampled = sample(
    { values: projected, positions, weights: weights as tf.Tensor4D },
    { heads, points, levels, recompute: recomputes(scope.memory, batch * n * taps * 4 * channels) },
  );
  return linear(scope.at('output_proj'), sampled[0] as tf.Tensor3D, channels, {
    weightInit: xavierUniform,
    biasInit: zeros,
  });
}

/**
 * What each head reads: for every query the weighted sum of its points' bilinear samples, zero outside the map.
 * @param values [batch, cells, channels]
 * @param positions (x, y) in cells of the point's level, [batch, n, heads, taps, 2]
 * @param weights [batch, n, heads, taps]
 * @returns [batch, n, channels]
 */
export function samplePoints(
  values: tf.Tensor3D,
  positions: tf.Tensor5D,
  weights: tf.Tensor4D,
  options: DeformableOptions,
): tf.Tensor3D {
  return sample({ values, positions, weights }, { ...options, recompute: true })[0] as tf.Tensor3D;
}

/** Inputs as of `samplePoints`. */
const sample = defineOp(OPERATIONS.DeformableSampling, {
  composite({ values, positions, weights }, options) {
    const [batch, n, heads, taps] = positions.shape;
    const { index, corners } = locate(positions, options);
    const shares = corners.mul(byHead(weights).expandDims(-1));
    const mixed = readRows(
      tableOf(values, heads),
      index,
      shares.reshape([batch * heads * n, 1, taps * 4]),
      (rows, share) => (rows.shape[2] > 1 ? tf.matMul(share, rows) : share.mul(swapped(rows)).sum(2, true)),
    );
    return fromTable(mixed, heads, [batch, n, values.shape[2]]);
  },
  gradient([dy], { values, positions, weights }, _, options) {
    const [batch, n, heads, taps] = positions.shape;
    const { index, corners, slopes } = locate(positions, options);
    const own = byHead(weights);
    const upstream = tableOf(dy as tf.Tensor3D, heads);
    // <corner row, upstream> for each corner: what moving weight onto that corner would gain.
    const gains = () =>
      readRows(tableOf(values, heads), index, upstream.reshape([batch * heads * n, -1, 1]), (rows, along) =>
        rows.shape[2] > 1 ? tf.matMul(rows, along) : rows.mul(along),
      ).reshape(corners.shape);
    const gain = options.recompute ? recomputed(gains) : gains();
    return {
      weights: () => byHead(corners.mul(gain).sum(-1)),
      positions: () =>
        byHead(
          tf.stack(
            slopes.map((slope) => slope.mul(gain).sum(-1).mul(own)),
            -1,
          ),
        ),
      values: () => {
        const shares = corners.mul(own.expandDims(-1)).reshape([batch * heads, n, taps * 4]) as tf.Tensor3D;
        const summed = scatterShares({ shares, rows: upstream, index }, values.shape[1]);
        return fromTable(summed, heads, values.shape);
      },
    };
  },
});

/**
 * [queries, k, 1] -> [queries, 1, k]. Where every head has one channel (DeMT), arithmetic takes the place of products of
 * a few numbers each, which cost a call for every query.
 */
function swapped(rows: tf.Tensor3D): tf.Tensor3D {
  return rows.reshape([rows.shape[0], 1, rows.shape[1]]);
}

/** [batch, n, heads, ...] -> [batch, heads, n, ...] and back: rows of one head are read together. */
function byHead(x: tf.Tensor): tf.Tensor {
  return x.transpose([0, 2, 1, ...Array.from({ length: x.rank - 3 }, (_, i) => i + 3)]);
}

/** [batch * heads, cells, depth] */
function tableOf(values: tf.Tensor3D, heads: number): tf.Tensor3D {
  const [batch, cells, channels] = values.shape;
  const depth = channels / heads;
  return byHead(values.reshape([batch, cells, heads, depth])).reshape([batch * heads, cells, depth]);
}

/** What `tableOf` did, undone. */
function fromTable(table: tf.Tensor, heads: number, shape: readonly number[]): tf.Tensor3D {
  const [batch, cells, channels] = shape;
  return byHead(table.reshape([batch, heads, cells, channels / heads])).reshape([batch, cells, channels]);
}

/**
 * The four corners around every position, in the order of heads, queries, taps.
 * @returns `index` of each corner's row in its head's table, int32 [batch * heads, n, taps * 4]; `corners` the bilinear
 *   weights, 0 outside the map, and `slopes` their derivatives along x and y, all [batch, heads, n, taps, 4]
 */
function locate(positions: tf.Tensor5D, { points, levels }: DeformableOptions) {
  const [batch, n, heads, taps] = positions.shape;
  const perTap = (f: (level: readonly [number, number], l: number) => number) =>
    tf.tensor(
      levels.flatMap((level, l) => Array<number>(points).fill(f(level, l))),
      [1, 1, 1, taps],
    );
  const starts: number[] = [];
  levels.reduce((sum, [height, width]) => (starts.push(sum), sum + height * width), 0);
  const [widths, heights, start] = [perTap(([, w]) => w), perTap(([h]) => h), perTap((_, l) => starts[l])];

  const [x, y] = tf.unstack(byHead(positions), 4);
  const [left, top] = [x.floor(), y.floor()];
  const [fx, fy] = [x.sub(left), y.sub(top)];
  const inside = (position: tf.Tensor, extent: tf.Tensor) =>
    tf.step(position.add(1)).mul(tf.step(extent.sub(position)));
  const sides = (low: tf.Tensor, fraction: tf.Tensor, extent: tf.Tensor) => {
    const high = low.add(1);
    const [lowIn, highIn] = [inside(low, extent), inside(high, extent)];
    return {
      // Clipped, so that a corner outside the map still reads an existing row, with weight 0.
      at: [low, high].map((position) =>
        tf.minimum(tf.relu(position), extent.sub(1).broadcastTo(position.shape)),
      ),
      weight: [lowIn.sub(lowIn.mul(fraction)), highIn.mul(fraction)],
      slope: [lowIn.neg(), highIn],
    };
  };
  const across = sides(left, fx, widths);
  const down = sides(top, fy, heights);
  const each = (f: (v: number, u: number) => tf.Tensor) => tf.stack([f(0, 0), f(0, 1), f(1, 0), f(1, 1)], -1);
  const cell = (v: number, u: number) => down.at[v].mul(widths).add(across.at[u]).add(start);
  return {
    index: each(cell)
      .cast('int32')
      .reshape([batch * heads, n, taps * 4]) as tf.Tensor3D,
    corners: each((v, u) => down.weight[v].mul(across.weight[u])),
    slopes: [
      each((v, u) => down.weight[v].mul(across.slope[u])),
      each((v, u) => down.slope[v].mul(across.weight[u])),
    ],
  };
}

/** Numbers read at a time: they stay in a cache until they have been used. */
const TILE = 1 << 22;

/**
 * Reads rows and makes something of them, for some queries at a time.
 * @param table [groups, cells, depth]
 * @param index of the rows of each query, [groups, n, k]
 * @param operand what each query brings along, of [groups * n, ...]
 * @param use of the rows [queries, k, depth] and the operand's part for these queries
 */
function readRows(
  table: tf.Tensor3D,
  index: tf.Tensor3D,
  operand: tf.Tensor3D,
  use: (rows: tf.Tensor3D, operand: tf.Tensor3D) => tf.Tensor3D,
): tf.Tensor3D {
  const [groups, cells, depth] = table.shape;
  const [, n, k] = index.shape;
  const starts = tf.tensor3d(
    Array.from({ length: groups }, (_, g) => g * cells),
    [groups, 1, 1],
    'int32',
  );
  const all = table.reshape([groups * cells, depth]);
  const queries = groups * n;
  const tiles = holdsWhole() ? 1 : Math.ceil((queries * k * depth) / TILE);
  const tile = Math.ceil(queries / tiles);
  const sizes = Array.from({ length: Math.ceil(queries / tile) }, (_, i) =>
    Math.min(tile, queries - i * tile),
  );
  const operands = tf.split(operand, sizes, 0) as tf.Tensor3D[];
  const parts = tf
    .split(index.add(starts).reshape([queries, k]), sizes, 0)
    .map((rows, i) => use(tf.gather(all, rows as tf.Tensor2D, 0) as tf.Tensor3D, operands[i]));
  return tf.concat(parts, 0);
}
