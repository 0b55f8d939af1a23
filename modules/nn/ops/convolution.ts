// 2-D convolution with weights in PyTorch's order [out, in / groups, kh, kw] over NHWC maps.
import * as tf from '../../../registry/tf.js';
import { OPERATIONS, type ConvAttributes, type MapShape } from '../../../registry/contracts/operations.js';
import { checkExtent } from './extent.js';
import { defineOp } from './op.js';

export type { ConvAttributes };

const forward = defineOp(OPERATIONS.Conv2D, {
  composite: ({ x, w }, attributes) =>
    perGroup(x, w, attributes, (part, weight) =>
      tf.conv2d(
        part,
        weight.transpose([2, 3, 1, 0]),
        attributes.stride,
        explicit(attributes),
        'NHWC',
        attributes.dilation,
      ),
    ),
  gradient: ([dy], { x, w }, _, attributes) => ({
    x: () => inputGradient({ dy: dy as tf.Tensor4D, w }, { ...attributes, inputShape: x.shape })[0],
    w: () => filterGradient({ dy: dy as tf.Tensor4D, x }, { ...attributes, filterShape: w.shape })[0],
  }),
});

const inputGradient = defineOp(OPERATIONS.Conv2DInputGradient, {
  composite({ dy, w }, { inputShape, ...attributes }) {
    const [batch, height, width, channels] = inputShape;
    const shape: MapShape = [batch, height, width, channels / attributes.groups];
    return perGroup(dy, w, attributes, (part, weight) =>
      dilatedInputGradient(shape, part, weight, attributes),
    );
  },
  gradient: () => ({}),
});

const filterGradient = defineOp(OPERATIONS.Conv2DFilterGradient, {
  composite({ dy, x }, { filterShape: [out, inner, kh, kw], stride, padding, dilation, groups }) {
    // dW[:, :, i, j] = sum over output cells of dy^T x, x taken where tap (i, j) saw it.
    const padded = tf.pad(x, [
      [0, 0],
      [padding[0], padding[1]],
      [padding[2], padding[3]],
      [0, 0],
    ]);
    const [batch, rows, columns] = dy.shape;
    const taps: tf.Tensor[] = [];
    for (let i = 0; i < kh; i++)
      for (let j = 0; j < kw; j++) {
        const [top, left] = [i * dilation[0], j * dilation[1]];
        const seen = tf.stridedSlice(
          padded,
          [0, top, left, 0],
          [batch, top + (rows - 1) * stride[0] + 1, left + (columns - 1) * stride[1] + 1, x.shape[3]],
          [1, stride[0], stride[1], 1],
        );
        const parts = (tf.split(seen, groups, 3) as tf.Tensor[]).map((part, g) => {
          const gradient = tf.slice(dy, [0, 0, 0, (g * out) / groups], [-1, -1, -1, out / groups]);
          return tf.matMul(gradient.reshape([-1, out / groups]), part.reshape([-1, inner]), true, false);
        });
        taps.push(tf.concat(parts, 0));
      }
    return tf.stack(taps, -1).reshape([out, inner, kh, kw]);
  },
  gradient: () => ({}),
});

function explicit({ padding: [top, bottom, left, right] }: ConvAttributes): tf.backend_util.ExplicitPadding {
  return [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ];
}

function perGroup(
  x: tf.Tensor4D,
  w: tf.Tensor4D,
  { groups }: ConvAttributes,
  apply: (x: tf.Tensor4D, w: tf.Tensor4D) => tf.Tensor4D,
): tf.Tensor4D {
  if (groups === 1) return apply(x, w);
  const inputs = tf.split(x, groups, 3);
  return tf.concat(
    tf.split(w, groups, 0).map((weight, g) => apply(inputs[g] as tf.Tensor4D, weight as tf.Tensor4D)),
    3,
  );
}

/** Scatter as a convolution: spread dy by the stride, pad, convolve with the flipped and transposed filter. */
function dilatedInputGradient(
  [batch, height, width, channels]: MapShape,
  dy: tf.Tensor4D,
  w: tf.Tensor4D,
  { stride, padding, dilation }: ConvAttributes,
): tf.Tensor4D {
  const [, , kh, kw] = w.shape;
  const spread = spreadOut(spreadOut(dy, 1, stride[0]), 2, stride[1]);
  const before = [(kh - 1) * dilation[0] - padding[0], (kw - 1) * dilation[1] - padding[2]];
  const after = [
    height + (kh - 1) * dilation[0] - before[0] - spread.shape[1],
    width + (kw - 1) * dilation[1] - before[1] - spread.shape[2],
  ];
  // Padding wider than the filter means that the outermost gradients touch nothing: cut them off.
  const cut = (n: number) => Math.max(0, -n);
  const kept = tf.slice(
    spread,
    [0, cut(before[0]), cut(before[1]), 0],
    [
      -1,
      spread.shape[1] - cut(before[0]) - cut(after[0]),
      spread.shape[2] - cut(before[1]) - cut(after[1]),
      -1,
    ],
  );
  const grow = (n: number) => Math.max(0, n);
  const padded = tf.pad(kept, [
    [0, 0],
    [grow(before[0]), grow(after[0])],
    [grow(before[1]), grow(after[1])],
    [0, 0],
  ]);
  const flipped = tf.reverse(w, [2, 3]).transpose([2, 3, 0, 1]) as tf.Tensor4D;
  return tf
    .conv2d(padded as tf.Tensor4D, flipped, 1, 'valid', 'NHWC', dilation)
    .reshape([batch, height, width, channels]);
}

/** Puts `step - 1` zeros between neighbours along `axis`. */
function spreadOut(x: tf.Tensor4D, axis: number, step: number): tf.Tensor4D {
  if (step === 1) return x;
  const shape = [...x.shape];
  const widened = tf.pad(
    x.expandDims(axis + 1),
    [0, 1, 2, 3, 4].map((i) => (i === axis + 1 ? [0, step - 1] : [0, 0])) as [number, number][],
  );
  shape[axis] *= step;
  const size = [...shape];
  size[axis] -= step - 1;
  return tf.slice(widened.reshape(shape), [0, 0, 0, 0], size) as tf.Tensor4D;
}

/**
 * @param x [batch, height, width, in]
 * @param w [out, in / groups, kh, kw]
 * @returns [batch, outHeight, outWidth, out]; out = floor((n + padding - dilation (k - 1) - 1) / stride) + 1
 * @throws MtcpError `component` if the map, with its padding, is smaller than the kernel
 */
export function conv2d(x: tf.Tensor4D, w: tf.Tensor4D, attributes: ConvAttributes): tf.Tensor4D {
  const { padding, dilation } = attributes;
  checkExtent(
    [x.shape[1] + padding[0] + padding[1], x.shape[2] + padding[2] + padding[3]],
    [(w.shape[2] - 1) * dilation[0] + 1, (w.shape[3] - 1) * dilation[1] + 1],
    'the kernel of a convolution',
  );
  return forward({ x, w }, attributes)[0] as tf.Tensor4D;
}

const transposed = defineOp(OPERATIONS.ConvTranspose2D, {
  composite: ({ x, w }, { outputShape, ...attributes }) =>
    inputGradient({ dy: x, w }, { ...attributes, inputShape: outputShape })[0],
  gradient: ([dy], { x, w }, _, { outputShape: _shape, ...attributes }) => ({
    x: () => forward({ x: dy as tf.Tensor4D, w }, attributes)[0],
    w: () => filterGradient({ dy: x, x: dy as tf.Tensor4D }, { ...attributes, filterShape: w.shape })[0],
  }),
});

/**
 * The transpose of the convolution that `attributes` describe, as torch's ConvTranspose2d.
 * @param x [batch, height, width, in]
 * @param w [in, out, kh, kw]
 * @param outputShape [batch, height', width', out]
 */
export function convTranspose2d(
  x: tf.Tensor4D,
  w: tf.Tensor4D,
  outputShape: MapShape,
  attributes: ConvAttributes,
): tf.Tensor4D {
  return transposed({ x, w }, { ...attributes, outputShape })[0] as tf.Tensor4D;
}
