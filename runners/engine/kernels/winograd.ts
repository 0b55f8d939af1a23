// Winograd's minimal filtering F(4x4, 3x3) (Lavin and Gray 2016, "Fast algorithms for convolutional neural networks"):
// a 3x3 convolution makes 4x4 outputs from 6x6 inputs with 36 multiplications for each pair of channels instead of 144.
// The transforms of inputs, filters and outputs are products with constant matrices, and what lies between them is a
// matrix product over channels for each of the 36 positions, all in NHWC. In float32 it is within 2e-6 of the exact result
// (relative to its root mean square; the direct convolution, within 2e-7).
import type { Builder } from '../graph/builder.js';
import type { Value } from '../graph/ir.js';

const OUT = 4;
const IN = 6;
const TAPS = 9;

const INPUT = squared([
  [4, 0, -5, 0, 1, 0],
  [0, -4, -4, 1, 1, 0],
  [0, 4, -4, -1, 1, 0],
  [0, -2, -1, 2, 1, 0],
  [0, 2, -1, -2, 1, 0],
  [0, 4, 0, -5, 0, 1],
]);
const FILTER = squared([
  [1 / 4, 0, 0],
  [-1 / 6, -1 / 6, -1 / 6],
  [-1 / 6, 1 / 6, -1 / 6],
  [1 / 24, 1 / 12, 1 / 6],
  [1 / 24, -1 / 12, 1 / 6],
  [0, 0, 1],
]);
const OUTPUT = squared([
  [1, 1, 1, 1, 1, 0],
  [0, 1, -1, 2, -2, 0],
  [0, 1, 1, 4, 4, 0],
  [0, 1, -1, 8, -8, 1],
]);

/** The Kronecker product of a matrix with itself: along rows and columns at once. */
function squared(matrix: number[][]): Float32Array {
  return Float32Array.from(
    matrix.flatMap((a) => matrix.flatMap((b) => a.flatMap((v) => b.map((u) => v * u)))),
  );
}

/** Below, transforming the filter costs what is gained: floating-point operations of the convolution, */
const LARGE = 5e9;
/** and its channels. */
const MANY_CHANNELS = 64;
/** Numbers of transformed input held at a time. */
const PART = 1 << 22;

/** Whether a 3x3 convolution with stride 1 is better done this way. */
export function prefersWinograd(out: number, inner: number, positions: number): boolean {
  return Math.min(out, inner) >= MANY_CHANNELS && flops(out, inner, positions) >= LARGE;
}

const flops = (out: number, inner: number, positions: number) => 2 * TAPS * out * inner * positions;

/**
 * @param x [batch, height, width, in]
 * @param w [out, in, 3, 3]
 * @param padding top, bottom, left, right
 * @returns [batch, height + top + bottom - 2, width + left + right - 2, out]
 */
export function winograd(build: Builder, x: Value, w: Value, padding: readonly number[]): Value {
  const [batch, height, width, inner] = x.shape;
  const [out] = w.shape;
  const [rows, columns] = [height + padding[0] + padding[1] - 2, width + padding[2] + padding[3] - 2];
  const [down, across] = [Math.ceil(rows / OUT), Math.ceil(columns / OUT)];
  const [paddedHeight, paddedWidth] = [down * OUT + 2, across * OUT + 2];
  const padded = build.pad(
    x,
    [
      [0, 0],
      [padding[0], paddedHeight - height - padding[0]],
      [padding[2], paddedWidth - width - padding[2]],
      [0, 0],
    ],
    0,
  );
  const constant = (data: Float32Array, from: number) =>
    build.graph.constant('float32', [data.length / from, from], { data });
  const taps = build.reshape(build.transpose(w, [2, 3, 1, 0]), [TAPS, inner * out]);
  const filter = build.reshape(build.matmul(constant(FILTER, TAPS), taps), [IN * IN, inner, out]);
  const cells = build.reshape(padded, [batch * paddedHeight * paddedWidth, inner]);

  // Some rows of tiles at a time.
  const lines = batch * down;
  const most = Math.max(1, Math.floor(PART / (IN * IN * across * inner)));
  const parts: Value[] = [];
  for (let first = 0; first < lines; first += most) {
    const count = Math.min(most, lines - first);
    const tiles = count * across;
    const positions = new Int32Array(IN * IN * tiles);
    let at = 0;
    for (let i = 0; i < IN; i++)
      for (let j = 0; j < IN; j++)
        for (let line = first; line < first + count; line++) {
          const top = Math.floor(line / down) * paddedHeight + (line % down) * OUT;
          for (let column = 0; column < across; column++)
            positions[at++] = (top + i) * paddedWidth + column * OUT + j;
        }
    const index = build.graph.constant('int32', [IN * IN, tiles], { data: positions });
    const read = build.reshape(build.gather(cells, index, 0), [IN * IN, tiles * inner]);
    const seen = build.reshape(build.matmul(constant(INPUT, IN * IN), read), [IN * IN, tiles, inner]);
    const mixed = build.matmul(seen, filter);
    mixed.node!.flops = flops(out, inner, tiles * OUT * OUT);
    const made = build.matmul(constant(OUTPUT, IN * IN), build.reshape(mixed, [IN * IN, tiles * out]));
    const tilewise = build.reshape(made, [OUT, OUT, count, across, out]);
    parts.push(build.reshape(build.transpose(tilewise, [2, 0, 3, 1, 4]), [count * OUT, across * OUT, out]));
  }
  const y = build.reshape(build.concat(parts, 0), [batch, down * OUT, across * OUT, out]);
  return build.slice(y, [0, 0, 0, 0], [batch, rows, columns, out]);
}
