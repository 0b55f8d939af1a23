// Resizing maps. Bilinear interpolation along an axis is a product with a constant sparse matrix, so both
// corner conventions, any ratio and the gradient come from one definition, and the results are PyTorch's
// (torch.nn.functional.interpolate), which TensorFlow.js's own resize is not.
import * as tf from '../../registry/tf.js';
import { OPERATIONS } from '../../registry/contracts/operations.js';
import { bandedProduct } from './ops/banded-product.js';
import { defineOp } from './ops/op.js';

/** [to, from]: row i holds the weights with which the inputs make up output i. */
function bilinearMatrix(from: number, to: number, alignCorners: boolean): Float32Array {
  const matrix = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const position = alignCorners
      ? to === 1
        ? 0
        : (i * (from - 1)) / (to - 1)
      : Math.max(0, ((i + 0.5) * from) / to - 0.5);
    const low = Math.min(Math.floor(position), from - 1);
    const high = Math.min(low + 1, from - 1);
    matrix[i * from + low] += 1 - (position - low);
    matrix[i * from + high] += position - low;
  }
  return matrix;
}

/** The cubic kernel of Keys (1981) at a distance from its centre. */
const cubicKernel =
  (a: number) =>
  (distance: number): number => {
    const d = Math.abs(distance);
    if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
  };

/** a = -3/4 over four neighbours, those outside being the border's: torch's bicubic without antialias. */
function plainBicubicMatrix(from: number, to: number): Float32Array {
  const matrix = new Float32Array(to * from);
  const cubic = cubicKernel(-0.75);
  for (let i = 0; i < to; i++) {
    const position = ((i + 0.5) * from) / to - 0.5;
    const first = Math.floor(position) - 1;
    for (let j = first; j < first + 4; j++)
      matrix[i * from + Math.min(Math.max(j, 0), from - 1)] += cubic(position - j);
  }
  return matrix;
}

/** a = -1/2, widened where the image shrinks: torch's bicubic with antialias. */
function bicubicMatrix(from: number, to: number): Float32Array {
  const matrix = new Float32Array(to * from);
  const scale = from / to;
  const widening = Math.max(1, scale);
  const cubic = cubicKernel(-0.5);
  for (let i = 0; i < to; i++) {
    const center = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - 2 * widening + 0.5));
    const end = Math.min(from, Math.trunc(center + 2 * widening + 0.5));
    const weights = Array.from({ length: end - first }, (_, j) =>
      cubic((first + j - center + 0.5) / widening),
    );
    const total = weights.reduce((a, b) => a + b, 0);
    weights.forEach((weight, j) => (matrix[i * from + first + j] = weight / total));
  }
  return matrix;
}

function nearestMatrix(from: number, to: number, centred: boolean): Float32Array {
  const matrix = new Float32Array(to * from);
  const within = centred ? 0.5 : 0;
  for (let i = 0; i < to; i++)
    matrix[i * from + Math.min(from - 1, Math.floor(((i + within) * from) / to))] = 1;
  return matrix;
}

/** A map made by resizing another, remembered so that resizing it again starts from that one. */
interface Resized {
  source: tf.Tensor4D;
  /** [to, from] along rows and columns. */
  rows: Matrix;
  columns: Matrix;
}

/** null leaves an axis as it is. */
type Matrix = Float32Array | null;

const resized = new WeakMap<tf.Tensor, Resized>();

/** [m, k] = [m, n] [n, k] */
function product(a: Matrix, b: Matrix, n: number): Matrix {
  if (!a || !b) return a ?? b;
  const [m, k] = [a.length / n, b.length / n];
  const result = new Float32Array(m * k);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      const weight = a[i * n + j];
      if (weight !== 0) for (let l = 0; l < k; l++) result[i * k + l] += weight * b[j * k + l];
    }
  return result;
}

/**
 * Applies a matrix along the rows and another along the columns of [batch, height, width, channels]. Two resizes in
 * a row, such as a head's and the loss's, are one with the product of their matrices: the large map between them
 * is never made.
 */
function alongAxes(
  x: tf.Tensor4D,
  [height, width]: readonly [number, number],
  matrix: (from: number, to: number) => Float32Array,
): tf.Tensor4D {
  const [, fromHeight, fromWidth] = x.shape;
  if (fromHeight === height && fromWidth === width) return x;
  let source = x;
  let rows = fromHeight === height ? null : matrix(fromHeight, height);
  let columns = fromWidth === width ? null : matrix(fromWidth, width);
  const before = resized.get(x);
  const enlarges = height * width >= fromHeight * fromWidth;
  if (before && enlarges && !before.source.isDisposed) {
    source = before.source;
    rows = product(rows, before.rows, fromHeight);
    columns = product(columns, before.columns, fromWidth);
  }
  const result = applyAlongAxes(source, [height, width], rows, columns);
  resized.set(result, { source, rows, columns });
  return result;
}

function applyAlongAxes(
  x: tf.Tensor4D,
  [height, width]: readonly [number, number],
  rows: Matrix,
  columns: Matrix,
): tf.Tensor4D {
  const down = (y: tf.Tensor4D): tf.Tensor4D => {
    if (!rows) return y;
    const [batch, from, across, channels] = y.shape;
    return bandedProduct(y.reshape([batch, from, across * channels]), rows, height).reshape([
      batch,
      height,
      across,
      channels,
    ]);
  };
  const across = (y: tf.Tensor4D): tf.Tensor4D => {
    if (!columns) return y;
    const [batch, lines, from, channels] = y.shape;
    return bandedProduct(y.reshape([batch * lines, from, channels]), columns, width).reshape([
      batch,
      lines,
      width,
      channels,
    ]);
  };
  // The axis that shrinks more (or grows less) first: less to do for the other one.
  return height / x.shape[1] < width / x.shape[2] ? across(down(x)) : down(across(x));
}

/**
 * @param x [batch, height, width, channels]
 * @param alignCorners true: the corner pixels' centres coincide; false: the corners of the images do
 */
export function resizeBilinear(
  x: tf.Tensor4D,
  size: readonly [number, number],
  alignCorners = false,
): tf.Tensor4D {
  return alongAxes(x, size, (from, to) => bilinearMatrix(from, to, alignCorners));
}

/**
 * Bicubic, as position tables of transformers are resized: with antialiasing by timm, without by others.
 * @param x [batch, height, width, channels]; `size` is the new [height, width]
 */
export function resizeBicubic(
  x: tf.Tensor4D,
  size: readonly [number, number],
  antialias = true,
): tf.Tensor4D {
  return alongAxes(x, size, antialias ? bicubicMatrix : plainBicubicMatrix);
}

const repeat = defineOp(OPERATIONS.RepeatCells, {
  composite({ x }, { factors: [down, across] }) {
    const [batch, rows, columns, channels] = x.shape;
    return tf
      .tile(x.reshape([batch, rows, 1, columns, 1, channels]), [1, 1, down, 1, across, 1])
      .reshape([batch, rows * down, columns * across, channels]);
  },
  gradient: ([dy], { x }, _, { factors: [down, across] }) => ({
    x: () => {
      const [batch, rows, columns, channels] = x.shape;
      return dy.reshape([batch, rows, down, columns, across, channels]).sum([2, 4]);
    },
  }),
});

/**
 * Output i takes input floor(i * from / to), as torch's mode "nearest"; with `centred` the one at its own
 * centre,
 * floor((i + 0.5) * from / to), as "nearest-exact".
 * @param x [batch, from, from, channels]; the new size is [height, width]
 */
export function resizeNearest(
  x: tf.Tensor4D,
  [height, width]: readonly [number, number],
  centred = false,
): tf.Tensor4D {
  const [, rows, columns] = x.shape;
  const factors: [number, number] = [height / rows, width / columns];
  if (!factors.every(Number.isInteger))
    return alongAxes(x, [height, width], (from, to) => nearestMatrix(from, to, centred));
  return repeat({ x }, { factors })[0] as tf.Tensor4D;
}
