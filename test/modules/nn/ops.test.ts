// Our own operations: the recorded kernels against the composites on tfjs cpu, outputs and gradients. The
// composites themselves are checked against PyTorch in reference.test.ts.
import { expect } from 'chai';
import * as tf from '../../../registry/tf.js';
import { gelu, relu } from '../../../modules/nn/ops/activations.js';
import { conv2d, type ConvAttributes } from '../../../modules/nn/ops/convolution.js';
import { detach } from '../../../modules/nn/ops/detach.js';
import { layerNorm } from '../../../modules/nn/ops/layer-norm.js';
import { bandedProduct } from '../../../modules/nn/ops/banded-product.js';
import { softmaxAffinity } from '../../../modules/nn/ops/affinity.js';
import { batchNormalize } from '../../../modules/nn/ops/batch-norm.js';
import { crossEntropy } from '../../../modules/nn/ops/cross-entropy.js';
import { after } from '../../../modules/nn/ops/after.js';
import { summary } from '../../../modules/nn/ops/summary.js';
import { relativePositions } from '../../../modules/nn/ops/relative-positions.js';
import { selectiveScan } from '../../../modules/nn/ops/selective-scan.js';
import { scatterShares } from '../../../modules/nn/ops/scatter-shares.js';
import { EagerEngine } from '../../../runners/engine/eager.js';
import { peakBytesOf } from '../../../runners/engine/graph/lifetimes.js';
import { record } from '../../../runners/engine/recording.js';
import {
  evaluate,
  expectClose,
  expectSame,
  integers,
  noise,
  recordingEngine,
  withGradients,
} from '../../support/oracle.js';

describe('operations, recorded against composite', () => {
  it('layer norm', () =>
    expectSame(
      { x: noise([3, 5, 9]), gamma: noise([9], 'gamma'), beta: noise([9], 'beta') },
      ({ x, gamma, beta }) => layerNorm(x, gamma as tf.Tensor1D, beta as tf.Tensor1D),
    ));

  it('gelu and relu', () => expectSame({ x: noise([3, 37]) }, ({ x }) => [gelu(x), relu(x)]));

  it('detach stops the gradient', () => expectSame({ x: noise([7]) }, ({ x }) => detach(x).mul(x)));

  it('cross entropy', () =>
    expectSame(
      { logits: noise([11, 5], 'logits', 3), labels: integers([11], 5, 'labels') },
      ({ logits, labels }) => crossEntropy(logits as tf.Tensor2D, labels as tf.Tensor1D),
    ));

  it('relative positions', () =>
    expectSame({ table: noise([25, 2]) }, ({ table }) => relativePositions(table as tf.Tensor2D, 3)));

  it('relative positions: the gradient is that of gather', async () => {
    const cpu = await EagerEngine.create('cpu');
    const table = noise([25, 2]);
    // Offsets (down, across) of positions i and j of a 3x3 window, counted from -2.
    const index = Array.from({ length: 81 }, (_, pair) => {
      const [i, j] = [Math.floor(pair / 9), pair % 9];
      return (Math.floor(i / 3) - Math.floor(j / 3) + 2) * 5 + (i % 3) - (j % 3) + 2;
    });
    const gathered = (t: Record<string, tf.Tensor>) =>
      tf.gather(t.table, tf.tensor1d(index, 'int32'), 0).transpose([1, 0]).reshape([2, 9, 9]);
    const own = (t: Record<string, tf.Tensor>) => relativePositions(t.table as tf.Tensor2D, 3);
    const [expected, actual] = [
      await evaluate(cpu, { table }, withGradients(gathered)),
      await evaluate(cpu, { table }, withGradients(own)),
    ];
    for (const name of Object.keys(expected)) expectClose(actual[name].data, expected[name].data, 1e-5, name);
  });

  it('after: nothing but the order changes', () =>
    expectSame({ x: noise([3, 5]), y: noise([7], 'y') }, ({ x, y }) => after(x.mul(2), [y.exp(), y]).mul(x)));

  for (const axes of [[3], [1, 2]])
    it(`summary along ${axes.join(' and ')}`, () =>
      expectSame({ x: noise([2, 3, 5, 7]) }, ({ x }) => summary(x, axes)));

  it('summary: values that tie share the gradient of the maximum', async () => {
    const cpu = await EagerEngine.create('cpu');
    const x = { data: Float32Array.of(1, 3, 3, 2, -1, -1, -1, -1), shape: [2, 4] };
    const gradient = tf.grad((t: tf.Tensor) =>
      summary(t, [1])[0]
        .mul([[6], [8]])
        .sum(),
    );
    const { dx } = await evaluate(cpu, { x }, ({ x }) => ({ dx: gradient(x) }));
    expectClose(dx.data, Float32Array.of(0, 3, 3, 0, 2, 2, 2, 2), 1e-7, 'dx');
  });

  it('scatter of shares', () =>
    expectSame(
      { shares: noise([6, 7, 2], 's'), rows: noise([6, 7, 40], 'r'), index: integers([6, 7, 2], 5) },
      ({ shares, rows, index }) => detach(scatterShares({ shares, rows, index } as never, 5)),
    ));

  it('scatter of shares: a table for each group, in many portions', async () => {
    const [groups, n, k, count, columns] = [2, 1800, 5, 170, 400];
    const inputs = {
      shares: noise([groups, n, k], 'shares'),
      rows: noise([groups, n, columns], 'rows'),
      index: integers([groups, n, k], count),
    };
    const { shares, rows, index } = inputs;
    const expected = new Float64Array(groups * count * columns);
    for (let i = 0; i < groups * n * k; i++) {
      const [query, group] = [Math.floor(i / k), Math.floor(i / k / n)];
      const place = group * count + index.data[i];
      for (let c = 0; c < columns; c++)
        expected[place * columns + c] += shares.data[i] * rows.data[query * columns + c];
    }
    const { summed } = await evaluate(recordingEngine, inputs, (t) => ({
      summed: scatterShares(t as never, count),
    }));
    expectClose(summed.data, expected, 1e-5, 'summed');
  });

  for (const [name, from, to, band] of [
    ['enlarging', 60, 120, 2],
    ['shrinking', 120, 60, 4],
    ['by an odd ratio', 48, 150, 3],
    ['whole', 7, 9, 2],
  ] as const)
    it(`product with a banded matrix, ${name}`, () => {
      const matrix = new Float32Array(to * from);
      // The third row of every five is empty, as an output that no input reaches.
      for (let i = 0; i < to; i++)
        for (let k = 0; k < band && i % 5 !== 2; k++)
          matrix[i * from + Math.min(from - 1, Math.floor((i * from) / to) + k)] = 1 / (1 + i + k);
      return expectSame({ x: noise([3, from, 11]) }, ({ x }) => bandedProduct(x as tf.Tensor3D, matrix, to));
    });

  it('batch normalisation', () =>
    expectSame(
      { x: noise([3, 4, 5, 6]), gamma: noise([6], 'gamma'), beta: noise([6], 'beta') },
      ({ x, gamma, beta }) => batchNormalize(x.add(0.5), gamma as tf.Tensor1D, beta as tf.Tensor1D, 1e-5).y,
    ));

  it('affinity, whole and in tiles', async () => {
    const inputs = { q: noise([2, 13, 4], 'q'), k: noise([2, 11, 4], 'k'), v: noise([2, 11, 3], 'v') };
    const run = (limit?: number) => (t: Record<string, tf.Tensor>) =>
      softmaxAffinity(t.q as tf.Tensor3D, t.k as tf.Tensor3D, t.v as tf.Tensor3D, limit);
    await expectSame(inputs, run());
    await expectSame(inputs, run(5 * 22));
    const cpu = await EagerEngine.create('cpu');
    const [whole, tiled] = [
      await evaluate(cpu, inputs, withGradients(run())),
      await evaluate(cpu, inputs, withGradients(run(5 * 22))),
    ];
    for (const name of Object.keys(whole)) expectClose(tiled[name].data, whole[name].data, 1e-5, name);
  });

  const scanInputs = (length: number) => ({
    u: noise([3, 2, length, 5], 'u'),
    raw: noise([3, 2, length, 5], 'delta'),
    logs: noise([3, 5, 4], 'a'),
    b: noise([3, 2, length, 4], 'b'),
    c: noise([3, 2, length, 4], 'c'),
  });
  /** Step sizes are positive, rates negative. */
  const scan =
    (...limits: number[]) =>
    ({ u, raw, logs, b, c }: Record<string, tf.Tensor>) =>
      selectiveScan({ u, delta: tf.softplus(raw), a: logs.exp().neg(), b, c } as never, ...limits);

  for (const length of [1, 7, 24])
    it(`selective scan of ${length}: position by position, whole and in blocks`, async () => {
      const plain = ({ u, raw, logs, b, c }: Record<string, tf.Tensor>) => {
        const delta = tf.softplus(raw);
        const a = logs.exp().neg().expandDims(1);
        let x: tf.Tensor = tf.zeros([3, 2, 5, 4]);
        const ys = Array.from({ length }, (_, t) => {
          const at = (whole: tf.Tensor) => tf.slice(whole, [0, 0, t, 0], [3, 2, 1, -1]).squeeze([2]);
          const decay = at(delta).expandDims(3).mul(a).exp();
          x = x.mul(decay).add(at(delta).mul(at(u)).expandDims(3).mul(at(b).expandDims(2)));
          return x.mul(at(c).expandDims(2)).sum(3);
        });
        return tf.stack(ys, 2);
      };
      const cpu = await EagerEngine.create('cpu');
      const inputs = scanInputs(length);
      const expected = await evaluate(cpu, inputs, withGradients(plain));
      // Blocks are for engines that order nothing themselves.
      for (const limits of [
        [0, 1e9],
        [0, 2 * 3 * 5 * 4],
        [0, 9 * 2 * 3 * 5 * 4],
      ])
        for (const engine of [cpu, recordingEngine]) {
          const actual = await evaluate(engine, inputs, withGradients(scan(...limits)));
          for (const [name, { data }] of Object.entries(expected))
            expectClose(actual[name].data, data, 1e-5, `${name}, ${limits.join()}`);
        }
      const whole = await evaluate(cpu, inputs, withGradients(scan()));
      for (const [name, { data }] of Object.entries(expected))
        expectClose(whole[name].data, data, 1e-5, name);
      await expectSame(inputs, scan());
    });

  it('selective scan: a large one holds the states of some steps at a time', async () => {
    const peakOf = async (...limits: number[]) => {
      const { graph, outputs } = await record((tracer) => {
        const wide = [1, 1, 256, 64];
        const shapes = { u: wide, raw: wide, logs: [1, 64, 64], b: wide };
        const given = Object.entries({ ...shapes, c: shapes.b }).map(([name, shape]) => [
          name,
          tracer.input(name, 'float32', shape),
        ]);
        return withGradients(scan(...limits))(Object.fromEntries(given));
      });
      const computed = [...outputs.values()];
      return peakBytesOf(graph.reachable(computed), computed);
    };
    const states = 256 * 64 * 64;
    expect(await peakOf(0, states / 64)).to.be.below((await peakOf(states)) / 4);
  });

  const convolutions: [string, number[], number[], Partial<ConvAttributes>][] = [
    ['1x1', [2, 5, 7, 3], [4, 3, 1, 1], {}],
    ['3x3 same', [3, 5, 7, 3], [4, 3, 3, 3], { padding: [1, 1, 1, 1] }],
    ['3x3 valid', [1, 6, 5, 2], [3, 2, 3, 3], {}],
    ['3x3 stride 2, odd size', [2, 7, 9, 3], [4, 3, 3, 3], { padding: [1, 1, 1, 1], stride: [2, 2] }],
    ['3x3 stride 2, even size', [2, 8, 6, 3], [4, 3, 3, 3], { padding: [1, 1, 1, 1], stride: [2, 2] }],
    ['7x7 to one channel', [2, 9, 8, 2], [1, 2, 7, 7], { padding: [3, 3, 3, 3] }],
    ['dilated', [2, 9, 8, 3], [4, 3, 3, 3], { padding: [2, 2, 2, 2], dilation: [2, 2] }],
    ['7x7 stride 2', [2, 12, 11, 3], [4, 3, 7, 7], { padding: [3, 3, 3, 3], stride: [2, 2] }],
    ['patches 4x4 stride 4', [2, 8, 12, 3], [6, 3, 4, 4], { stride: [4, 4] }],
    ['lopsided padding', [2, 5, 6, 3], [4, 3, 3, 2], { padding: [0, 2, 1, 0] }],
    ['padding wider than the filter', [1, 4, 4, 2], [3, 2, 2, 2], { padding: [3, 3, 3, 3] }],
    ['groups', [2, 6, 5, 4], [6, 2, 3, 3], { padding: [1, 1, 1, 1], groups: 2 }],
    ['depthwise, stride 2', [2, 6, 5, 3], [3, 1, 3, 3], { padding: [1, 1, 1, 1], groups: 3, stride: [2, 2] }],
  ];
  for (const [name, x, w, given] of convolutions)
    it(`convolution ${name}`, () => {
      const attributes: ConvAttributes = {
        stride: [1, 1],
        padding: [0, 0, 0, 0],
        dilation: [1, 1],
        groups: 1,
        ...given,
      };
      return expectSame({ x: noise(x), w: noise(w, 'w') }, (t) =>
        conv2d(t.x as tf.Tensor4D, t.w as tf.Tensor4D, attributes),
      );
    });
});
