// Pooling over NHWC maps, with PyTorch's conventions.
import * as tf from '../../registry/tf.js';
import { OPERATIONS, type MaxPoolAttributes } from '../../registry/contracts/operations.js';
import { checkExtent } from './ops/extent.js';
import { defineOp } from './ops/op.js';

/** Lower than any activation; finite, so that no product with it is NaN. */
const LOWEST = -3e38;

const maxPoolOp = defineOp(OPERATIONS.MaxPool, {
  keep: ['y'],
  composite: ({ x }, attributes) =>
    tapsOf(x, attributes, LOWEST).reduce((highest, tap) => tf.maximum(highest, tap)),
  gradient: ([dy], { x }, { y }, attributes) => ({
    x: () => {
      // The first position of a window that holds its maximum gets the gradient, as in PyTorch.
      const { kernel, stride, padding } = attributes;
      const [, height, width] = x.shape;
      const [rows, columns] = [height + 2 * padding, width + 2 * padding];
      let open = tf.onesLike(dy);
      const parts = tapsOf(x, attributes, LOWEST).map((tap, i) => {
        const hit = tf.equal(tap, y).cast('float32').mul(open);
        open = open.sub(hit);
        const [top, left] = [Math.floor(i / kernel), i % kernel];
        return place(dy.mul(hit) as tf.Tensor4D, stride, [top, left], [rows, columns]);
      });
      return tf.slice(tf.addN(parts), [0, padding, padding, 0], [-1, height, width, -1]);
    },
  }),
});

/** What each tap of the window sees: [batch, rows, columns, channels] for every (row, column) of the kernel. */
function tapsOf(x: tf.Tensor4D, { kernel, stride, padding }: MaxPoolAttributes, fill: number): tf.Tensor4D[] {
  const [batch, height, width, channels] = x.shape;
  const [rows, columns] = [height, width].map((n) => Math.floor((n + 2 * padding - kernel) / stride) + 1);
  const around: [number, number] = [padding, padding];
  const padded = padding === 0 ? x : tf.pad(x, [[0, 0], around, around, [0, 0]], fill);
  return Array.from({ length: kernel * kernel }, (_, i) => {
    const [top, left] = [Math.floor(i / kernel), i % kernel];
    return tf.stridedSlice(
      padded,
      [0, top, left, 0],
      [batch, top + (rows - 1) * stride + 1, left + (columns - 1) * stride + 1, channels],
      [1, stride, stride, 1],
    ) as tf.Tensor4D;
  });
}

/** Puts cell (i, j) of `x` at (top + i * stride, left + j * stride) of an empty map of this size. */
function place(
  x: tf.Tensor4D,
  stride: number,
  [top, left]: readonly [number, number],
  [rows, columns]: readonly [number, number],
): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const spread = tf
    .pad(x.reshape([batch, height, 1, width, 1, channels]), [
      [0, 0],
      [0, 0],
      [0, stride - 1],
      [0, 0],
      [0, stride - 1],
      [0, 0],
    ])
    .reshape([batch, height * stride, width * stride, channels]);
  const [tall, wide] = [(height - 1) * stride + 1, (width - 1) * stride + 1];
  return tf.pad(tf.slice(spread, [0, 0, 0, 0], [batch, tall, wide, channels]) as tf.Tensor4D, [
    [0, 0],
    [top, rows - top - tall],
    [left, columns - left - wide],
    [0, 0],
  ]);
}

/**
 * @param x [batch, height, width, channels]
 * @returns [batch, floor((height + 2 padding - kernel) / stride) + 1, ..., channels]
 */
export function maxPool(x: tf.Tensor4D, attributes: MaxPoolAttributes): tf.Tensor4D {
  const { kernel, padding } = attributes;
  checkExtent(
    [x.shape[1] + 2 * padding, x.shape[2] + 2 * padding],
    [kernel, kernel],
    'the window of a maximum',
  );
  return maxPoolOp({ x }, attributes)[0] as tf.Tensor4D;
}

/**
 * Means of cells of `size` x `size`. What is left over at the right and the bottom makes smaller cells, each the
 * mean of what it has (torch's ceil_mode).
 * @returns [batch, ceil(height / size), ceil(width / size), channels]
 */
export function averagePool(x: tf.Tensor4D, size: number): tf.Tensor4D {
  if (size === 1) return x;
  const [batch, height, width, channels] = x.shape;
  const [rows, columns] = [Math.ceil(height / size), Math.ceil(width / size)];
  const padded = tf.pad(x, [
    [0, 0],
    [0, rows * size - height],
    [0, columns * size - width],
    [0, 0],
  ]);
  const means = padded.reshape([batch, rows, size, columns, size, channels]).mean([2, 4]);
  if (rows * size === height && columns * size === width) return means as tf.Tensor4D;
  const share = (n: number, cells: number) =>
    Array.from({ length: cells }, (_, i) => size / Math.min(size, n - i * size));
  const [down, across] = [share(height, rows), share(width, columns)];
  const correction = down.flatMap((a) => across.map((b) => a * b));
  return means.mul(tf.tensor4d(correction, [1, rows, columns, 1]));
}

/** Mean over all positions: [batch, 1, 1, channels]. */
export function globalAverage(x: tf.Tensor4D): tf.Tensor4D {
  return x.mean([1, 2], true) as tf.Tensor4D;
}
