// Large 3x3 convolutions, against sums in double precision at some positions.
import * as tf from '../../../registry/tf.js';
import { expect } from 'chai';
import { conv2d } from '../../../modules/nn/ops/convolution.js';
import { flopsOf } from '../../../runners/engine/graph/cost.js';
import { record } from '../../../runners/engine/recording.js';
import { evaluate, expectClose, noise, recordingEngine } from '../../support/oracle.js';

const [BATCH, HEIGHT, WIDTH, CHANNELS] = [2, 181, 195, 64];
/** top, bottom, left, right: lopsided, so that outputs, 180x196, differ from inputs and neither is whole tiles. */
const PADDING = [1, 0, 2, 1] as const;
const [ROWS, COLUMNS] = [180, 196];
const attributes = {
  stride: [1, 1] as [number, number],
  padding: [...PADDING] as [number, number, number, number],
  dilation: [1, 1] as [number, number],
  groups: 1,
};
const inputs = {
  x: noise([BATCH, HEIGHT, WIDTH, CHANNELS]),
  w: noise([CHANNELS, CHANNELS, 3, 3], 'w', 1 / 24),
  dy: noise([BATCH, ROWS, COLUMNS, CHANNELS], 'dy'),
};

function convolutionWithGradient({ x, w, dy }: Record<string, tf.Tensor>): tf.NamedTensorMap {
  const y = (t: tf.Tensor) => conv2d(t as tf.Tensor4D, w as tf.Tensor4D, attributes);
  return { y: y(x), dx: tf.grad(y)(x, dy) };
}

/** Positions in the corners, on the edges and inside of the map. */
function* samples(rows: number, columns: number) {
  const pick = (i: number, n: number) => [0, n - 1, (i * 53) % n, (i * 37 + 4) % n][i % 4];
  for (let i = 0; i < 160; i++)
    yield [i % BATCH, pick(i, rows), pick(i >> 2, columns), (i * 29) % CHANNELS] as const;
}

/**
 * Sum over taps and channels at a position: `source` is read at (row + down - top, column + across - left), zero outside.
 */
function sumAt(
  source: ArrayLike<number>,
  [rows, columns]: readonly [number, number],
  [b, row, column]: readonly [number, number, number],
  [top, left]: readonly [number, number],
  weight: (down: number, across: number, channel: number) => number,
): number {
  let sum = 0;
  for (let down = 0; down < 3; down++)
    for (let across = 0; across < 3; across++) {
      const [r, c] = [row + down - top, column + across - left];
      if (r < 0 || c < 0 || r >= rows || c >= columns) continue;
      for (let k = 0; k < CHANNELS; k++)
        sum += source[((b * rows + r) * columns + c) * CHANNELS + k] * weight(down, across, k);
    }
  return sum;
}

describe('large 3x3 convolutions', () => {
  it('outputs and gradients of inputs are within 1e-5 of the exact sums', async () => {
    const { y, dx } = await evaluate(recordingEngine, inputs, convolutionWithGradient);
    const { x, w, dy } = inputs;
    const weight = (o: number, i: number, down: number, across: number) =>
      w.data[((o * CHANNELS + i) * 3 + down) * 3 + across];
    const check = (
      name: string,
      actual: ArrayLike<number>,
      size: readonly [number, number],
      exact: (b: number, row: number, column: number, channel: number) => number,
    ) => {
      const places = [...samples(...size)];
      const at = places.map(([b, r, c, k]) => actual[((b * size[0] + r) * size[1] + c) * CHANNELS + k]);
      expectClose(
        at,
        places.map((place) => exact(...place)),
        1e-5,
        name,
      );
    };
    check('y', y.data, [ROWS, COLUMNS], (b, row, column, o) =>
      sumAt(x.data, [HEIGHT, WIDTH], [b, row, column], [PADDING[0], PADDING[2]], (down, across, i) =>
        weight(o, i, down, across),
      ),
    );
    check('dx', dx.data, [HEIGHT, WIDTH], (b, row, column, i) =>
      sumAt(dy.data, [ROWS, COLUMNS], [b, row, column], [2 - PADDING[0], 2 - PADDING[2]], (down, across, o) =>
        weight(o, i, 2 - down, 2 - across),
      ),
    );
  });

  it('are computed by minimal filtering, and count as what they stand for', async () => {
    const { graph } = await record((tracer) => {
      const tensors = Object.entries(inputs).map(([name, { shape }]) => [
        name,
        tracer.input(name, 'float32', shape),
      ]);
      return convolutionWithGradient(Object.fromEntries(tensors) as Record<string, tf.Tensor>);
    });
    expect(graph.nodes.filter(({ op }) => op === 'Conv')).to.deep.equal([]);
    const tiles = (rows: number, columns: number) =>
      16 * BATCH * Math.ceil(rows / 4) * Math.ceil(columns / 4);
    const places = tiles(ROWS, COLUMNS) + tiles(HEIGHT, WIDTH);
    expect(flopsOf(graph.nodes)).to.equal(2 * 9 * CHANNELS ** 2 * places);
  });
});
