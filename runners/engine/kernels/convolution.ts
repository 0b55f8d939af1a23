// Convolutions. onnxruntime's CPU convolution wants NCHW; between transposes it still beats products of
// unfolded patches. Large 3x3 convolutions are in winograd.ts. The filter gradient is one product for each tap of the filter over shifted views.
import {
  OPERATIONS,
  type AttributesOf,
  type ConvAttributes,
} from '../../../registry/contracts/operations.js';
import { int, ints, type Attribute, type Value } from '../graph/ir.js';
import type { Builder } from '../graph/builder.js';
import { operation } from './register.js';
import { prefersWinograd, winograd } from './winograd.js';

type FilterGradientAttributes = AttributesOf<typeof OPERATIONS.Conv2DFilterGradient>;

const TO_NCHW = [0, 3, 1, 2];
const TO_NHWC = [0, 2, 3, 1];

operation(OPERATIONS.Conv2D, (build, { x, w }, attributes) => convolve(build, x, w, attributes));

function convolve(build: Builder, x: Value, w: Value, attributes: ConvAttributes): Value {
  const { stride, padding, dilation } = attributes;
  const [batch, height, width] = x.shape;
  const [out, inner, kh, kw] = w.shape;
  const extent = (n: number, k: number, axis: number) =>
    Math.floor(
      (n + padding[2 * axis] + padding[2 * axis + 1] - dilation[axis] * (k - 1) - 1) / stride[axis],
    ) + 1;
  const shape = [batch, out, extent(height, kh, 0), extent(width, kw, 1)];
  const plain = [...stride, ...dilation, attributes.groups].every((n) => n === 1);
  const isFiltered = !build.target.compiles && plain && kh === 3 && kw === 3;
  if (isFiltered && prefersWinograd(out, inner, batch * shape[2] * shape[3]))
    return winograd(build, x, w, padding);
  const y = build.op('Conv', [build.transpose(x, TO_NCHW), w], shape, convAttributes(w, attributes));
  return build.transpose(y, TO_NHWC);
}

operation(OPERATIONS.Conv2DInputGradient, (build, { dy, w }, { inputShape, ...attributes }) => {
  const [batch, height, width, channels] = inputShape;
  const { stride, padding, dilation, groups } = attributes;
  const [, , kh, kw] = w.shape;
  if (
    stride[0] === 1 &&
    stride[1] === 1 &&
    groups === 1 &&
    padding[0] < kh * dilation[0] &&
    padding[2] < kw * dilation[1]
  ) {
    // With stride 1 the gradient is a convolution with the flipped filter, which is faster than ConvTranspose.
    const flipped = reverseTaps(build, build.transpose(w, [1, 0, 2, 3]));
    const pads: ConvAttributes['padding'] = [
      (kh - 1) * dilation[0] - padding[0],
      (kh - 1) * dilation[0] - padding[1],
      (kw - 1) * dilation[1] - padding[2],
      (kw - 1) * dilation[1] - padding[3],
    ];
    if (pads.every((n) => n >= 0)) return convolve(build, dy, flipped, { ...attributes, padding: pads });
  }
  const reach = (rows: number, k: number, axis: number) =>
    (rows - 1) * stride[axis] + dilation[axis] * (k - 1) + 1 - padding[2 * axis] - padding[2 * axis + 1];
  const missing = [height - reach(dy.shape[1], kh, 0), width - reach(dy.shape[2], kw, 1)];
  const x = build.op('ConvTranspose', [build.transpose(dy, TO_NCHW), w], [batch, channels, height, width], {
    ...convAttributes(w, attributes),
    output_padding: ints(missing),
  });
  return build.transpose(x, TO_NHWC);
});

/**
 * A compiler is given the convolution that it is: of the input with the gradient, batch and channels exchanged. Run
 * operator by operator on a CPU, one product for each tap over shifted views is fastest where there are channels to multiply; with next to
 * none (the 2 -> 1 convolution of a spatial gate, the 7x7 stem of a narrow network) it is better to exchange batch and channels and convolve the
 * input with the gradient, whose extent is then the kernel's.
 */
operation(OPERATIONS.Conv2DFilterGradient, (build, { dy, x }, attributes) => {
  const { filterShape, stride, padding, dilation, groups } = attributes;
  const [out, inner, kh, kw] = filterShape;
  const [batch, rows, columns] = dy.shape;
  const isThin = out * inner <= FEW_CHANNELS;
  if (groups === 1 && (isThin || build.target.compiles) && kh * kw > 1) {
    const image = build.transpose(x, [3, 0, 1, 2]);
    const gradient = build.transpose(dy, [3, 0, 1, 2]);
    const swapped = convAttributes(gradient, { stride: dilation, padding, dilation: stride, groups: 1 });
    // Rows and columns at the end that no output saw, because they do not make a whole stride, make taps that are not
    // there.
    const beyond = [0, 1].map((axis) => {
      const extent = x.shape[1 + axis] + padding[2 * axis] + padding[2 * axis + 1];
      const seen = stride[axis] * (dy.shape[1 + axis] - 1) + dilation[axis] * ([kh, kw][axis] - 1) + 1;
      return Math.floor((extent - seen) / dilation[axis]);
    });
    const shape = [inner, out, kh + beyond[0], kw + beyond[1]];
    const result = build.op('Conv', [image, gradient], shape, swapped);
    const taps = build.slice(result, [0, 0, 0, 0], [inner, out, kh, kw], [1, 1, 1, 1]);
    return build.transpose(taps, [1, 0, 2, 3]);
  }
  const padded = build.pad(
    x,
    [
      [0, 0],
      [padding[0], padding[1]],
      [padding[2], padding[3]],
      [0, 0],
    ],
    0,
  );
  const positions = batch * rows * columns;
  if (groups === 1 && kh * kw > 1 && kh * kw * positions <= FEW_POSITIONS) {
    const seen = build.int64(tapPlaces(padded.shape, attributes, dy.shape));
    const rowsOfImage = build.reshape(padded, [padded.shape.slice(0, 3).reduce((a, b) => a * b), inner]);
    const views = build.gather(rowsOfImage, build.reshape(seen, [kh * kw, positions]), 0);
    const products = build.matmul(build.reshape(dy, [1, positions, out]), views, { transA: true });
    return build.reshape(build.transpose(products, [1, 2, 0]), [out, inner, kh, kw]);
  }
  const views = tapViews(build, padded, attributes, dy);
  if (inner === 1 && out === groups) {
    // Each channel on its own: a product would be one number.
    const taps = views.map((seen) => {
      const gained = build.reshape(build.binary('Mul', seen, dy), [positions, out]);
      return build.reshape(build.reduce('Sum', gained, [0], false), [out, 1, 1]);
    });
    return build.reshape(build.concat(taps, 2), [out, inner, kh, kw]);
  }
  // All taps multiply the same gradient: turned once, it need not be turned in each product.
  const turned = groups === 1 && kh * kw > 1;
  const gradients = turned
    ? [build.reshape(build.transpose(dy, batch === 1 ? TO_NCHW : [3, 0, 1, 2]), [out, positions])]
    : build
        .split(dy, Array<number>(groups).fill(out / groups), 3)
        .map((gradient) => build.reshape(gradient, [positions, out / groups]));
  const taps = views.map((seen) => {
    const parts = build
      .split(seen, Array<number>(groups).fill(inner), 3)
      .map((part, g) =>
        build.matmul(gradients[g], build.reshape(part, [positions, inner]), { transA: !turned }),
      );
    return build.reshape(build.concat(parts, 0), [out, inner, 1]);
  });
  return build.reshape(build.concat(taps, 2), [out, inner, kh, kw]);
});

/** What each tap of the filter saw of the padded map: [batch, rows, columns, channels], as many as the gradient has. */
function tapViews(
  build: Builder,
  padded: Value,
  { filterShape, stride, dilation }: FilterGradientAttributes,
  dy: Value,
): Value[] {
  const [, , kh, kw] = filterShape;
  const [batch, rows, columns] = dy.shape;
  return Array.from({ length: kh * kw }, (_, tap) => {
    const [top, left] = [Math.floor(tap / kw) * dilation[0], (tap % kw) * dilation[1]];
    const end = [top + (rows - 1) * stride[0] + 1, left + (columns - 1) * stride[1] + 1];
    const channels = padded.shape[3];
    return build.slice(padded, [0, top, left, 0], [batch, ...end, channels], [1, stride[0], stride[1], 1]);
  });
}

/**
 * Positions times taps up to which all shifted views are gathered at once, for one batched product: on small maps operators
 * cost more than copies.
 */
const FEW_POSITIONS = 1 << 16;

/** For each tap and output cell, the row of the padded map [batch * height * width, channels] that it saw. */
function tapPlaces(
  [, height, width]: readonly number[],
  { filterShape, stride, dilation }: FilterGradientAttributes,
  [batch, rows, columns]: readonly number[],
): number[] {
  const [, , kh, kw] = filterShape;
  const found: number[] = [];
  for (let i = 0; i < kh; i++)
    for (let j = 0; j < kw; j++)
      for (let b = 0; b < batch; b++)
        for (let r = 0; r < rows; r++)
          for (let c = 0; c < columns; c++)
            found.push(
              (b * height + i * dilation[0] + r * stride[0]) * width + j * dilation[1] + c * stride[1],
            );
  return found;
}

/** Product of input and output channels up to which taps are too thin to be worth a matrix product each. */
const FEW_CHANNELS = 64;

function convAttributes(
  w: Value,
  { stride, padding, dilation, groups }: ConvAttributes,
): Record<string, Attribute> {
  return {
    kernel_shape: ints([w.shape[2], w.shape[3]]),
    strides: ints(stride),
    pads: ints([padding[0], padding[2], padding[1], padding[3]]),
    dilations: ints(dilation),
    group: int(groups),
  };
}

/** w[:, :, ::-1, ::-1] */
function reverseTaps(build: Builder, w: Value): Value {
  const [, , kh, kw] = w.shape;
  if (kh === 1 && kw === 1) return w;
  const inputs = [
    w,
    build.int64([kh - 1, kw - 1]),
    build.int64([-kh - 1, -kw - 1]),
    build.int64([2, 3]),
    build.int64([-1, -1]),
  ];
  return build.op('Slice', inputs, w.shape);
}
