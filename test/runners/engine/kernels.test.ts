// Every kernel of the recording backend, and the gradient that TensorFlow.js builds from it, against tfjs cpu.
import * as tf from '../../../registry/tf.js';
import '../../../modules/nn/ops/gaps.js';
import { expectSame, expectSameValues, integers, noise, type Arrays } from '../../support/oracle.js';

type Case = [name: string, inputs: Arrays, f: (x: Record<string, tf.Tensor>) => tf.Tensor | tf.Tensor[]];

const x = noise([3, 5, 7]);
const positive = { shape: [3, 5, 7], data: Float32Array.from(x.data, (v) => Math.abs(v) + 0.1) };

const cases: Case[] = [
  ['add', { a: x, b: noise([5, 1], 'b') }, ({ a, b }) => a.add(b)],
  ['sub', { a: noise([7], 'a'), b: x }, ({ a, b }) => a.sub(b)],
  ['mul', { a: x, b: noise([3, 1, 7], 'b') }, ({ a, b }) => a.mul(b)],
  ['div', { a: x, b: positive }, ({ a, b }) => a.div(b)],
  ['maximum', { a: x, b: noise([3, 5, 7], 'b') }, ({ a, b }) => tf.maximum(a, b)],
  ['minimum', { a: x, b: noise([3, 5, 7], 'b') }, ({ a, b }) => tf.minimum(a, b)],
  ['pow', { a: positive }, ({ a }) => a.pow(2.5)],
  ['mod', { a: x }, ({ a }) => tf.mod(a, 0.7)],
  ['addN', { a: x, b: positive }, ({ a, b }) => tf.addN([a, b, a])],
  [
    'constants fold',
    { a: x },
    ({ a }) =>
      a
        .mul(1)
        .add(0)
        .sub(0)
        .div(1)
        .mul(tf.ones([3, 5, 7]))
        .add(tf.zeros([7])),
  ],
  ['zero times', { a: x }, ({ a }) => a.mul(0).add(a)],
  [
    'functions',
    { a: positive },
    ({ a }) => [a.log(), a.sqrt(), a.rsqrt(), a.exp(), a.log1p(), a.expm1(), a.reciprocal()],
  ],
  [
    'functions of any sign',
    { a: x },
    ({ a }) => [a.abs(), a.sin(), a.cos(), a.tanh(), a.sigmoid(), a.softplus(), a.erf(), a.square(), a.neg()],
  ],
  [
    'activations',
    { a: x },
    ({ a }) => [
      a.relu(),
      a.elu(),
      a.selu(),
      a.leakyRelu(0.3),
      a.relu6(),
      a.step(0.2),
      tf.prelu(a, tf.scalar(0.2)),
    ],
  ],
  [
    'inverse functions',
    { a: noise([4, 3], 'small', 0.2) },
    ({ a }) => [a.clipByValue(-0.9, 0.9).acos(), a.clipByValue(-0.9, 0.9).asin(), a.atan()],
  ],
  [
    'hyperbolic functions',
    { a: positive },
    ({ a }) => [a.sinh(), a.cosh(), a.asinh(), a.add(1).acosh(), a.div(10).atanh()],
  ],
  ['clip', { a: x }, ({ a }) => a.clipByValue(-0.5, 0.8)],
  ['squared difference', { a: x, b: noise([3, 5, 7], 'b') }, ({ a, b }) => tf.squaredDifference(a, b)],
  ['rounding', { a: x }, ({ a }) => [a.mul(3).floor(), a.mul(3).ceil(), a.sign()]],
  [
    'comparisons',
    { a: x, b: noise([5, 7], 'b') },
    ({ a, b }) =>
      [
        tf.greater(a, b),
        tf.greaterEqual(a, b),
        tf.less(a, b),
        tf.lessEqual(a, b),
        tf.equal(a, a),
        tf.notEqual(a, b),
      ].map((c) => c.cast('float32')),
  ],
  [
    'logic',
    { a: x, b: noise([3, 5, 7], 'b') },
    ({ a, b }) => {
      const [p, q] = [tf.greater(a, 0), tf.greater(b, 0)];
      return [p.logicalAnd(q), p.logicalOr(q), p.logicalNot(), p.all(1), p.any([0, 2])].map((c) =>
        c.cast('float32'),
      );
    },
  ],
  ['where', { a: x, b: noise([3, 5, 7], 'b') }, ({ a, b }) => tf.where(tf.greater(a, 0.3), a, b)],
  ['reshape', { a: x }, ({ a }) => a.reshape([7, -1]).reshape([3, 5, 7]).reshape([15, 7])],
  [
    'transpose',
    { a: x },
    ({ a }) => [
      a.transpose([2, 0, 1]),
      a.transpose([1, 0, 2]).transpose([1, 0, 2]),
      a.reshape([3, 1, 5, 7]).transpose([1, 0, 2, 3]),
    ],
  ],
  ['expand and squeeze', { a: x }, ({ a }) => a.expandDims(1).expandDims(-1).squeeze([1])],
  ['broadcast', { a: noise([5, 1], 'a') }, ({ a }) => [a.broadcastTo([3, 5, 7]), a.tile([2, 3])]],
  ['concat', { a: x, b: noise([3, 2, 7], 'b') }, ({ a, b }) => tf.concat([a, b, a], 1)],
  ['stack', { a: x, b: positive }, ({ a, b }) => [tf.stack([a, b], 1), tf.stack([a, b], -1)]],
  ['unstack', { a: x }, ({ a }) => tf.unstack(a, 1).map((part, i) => part.mul(i))],
  [
    'split',
    { a: x },
    ({ a }) => (tf.split(a, [2, 4, 1], 2) as tf.Tensor[]).map((part, i) => part.mul(i + 1)),
  ],
  ['slice', { a: x }, ({ a }) => [a.slice([1, 0, 2], [1, -1, 3]), a.slice([0, 1], [3, 2])]],
  [
    'pad',
    { a: x },
    ({ a }) =>
      a.pad(
        [
          [0, 0],
          [1, 2],
          [0, 3],
        ],
        0.5,
      ),
  ],
  ['reverse', { a: x }, ({ a }) => a.reverse([0, 2])],
  ['gather', { a: x, i: integers([2, 3], 5) }, ({ a, i }) => tf.gather(a, i, 1)],
  ['gather rows', { a: x, i: integers([6], 3) }, ({ a, i }) => tf.gather(a, i, 0)],
  ['sum', { a: x }, ({ a }) => [a.sum(), a.sum([0, 2]), a.sum(-1, true)]],
  ['mean', { a: x }, ({ a }) => [a.mean(), a.mean([0, 1], true), a.mean(1)]],
  ['extremes', { a: x }, ({ a }) => [a.max(), a.max([0, 1], true), a.min(-1)]],
  ['arg extremes', { a: x }, ({ a }) => [a.argMax(-1).cast('float32'), a.argMin(0).cast('float32')]],
  ['softmax', { a: x }, ({ a }) => [a.softmax(), a.logSoftmax()]],
  ['cumsum', { a: x }, ({ a }) => a.cumsum(2)],
  ['matmul', { a: noise([5, 3], 'a'), b: noise([3, 4], 'b') }, ({ a, b }) => a.matMul(b)],
  [
    'matmul transposed',
    { a: noise([3, 5], 'a'), b: noise([4, 3], 'b') },
    ({ a, b }) => a.matMul(b, true, true),
  ],
  [
    'matmul of transposes',
    { a: noise([3, 5], 'a'), b: noise([4, 3], 'b') },
    ({ a, b }) => a.transpose().matMul(b.transpose()),
  ],
  [
    'batch matmul',
    { a: noise([2, 3, 5, 3], 'a'), b: noise([2, 3, 4, 3], 'b') },
    ({ a, b }) => a.matMul(b, false, true),
  ],
  ['moments', { a: x }, ({ a }) => Object.values(tf.moments(a, [0, 1]))],
];

/** TensorFlow.js has no gradient for these, or their inputs are integers. */
const valuesOnly: Case[] = [
  [
    'sorting, with ties',
    { a: { shape: [3, 700], data: Float32Array.from({ length: 2100 }, (_, i) => (i * 7919) % 211) } },
    ({ a }) => {
      const { values, indices } = tf.topk(a, 700);
      const most = tf.topk(a, 5);
      return [values, indices.cast('float32'), most.values, most.indices.cast('float32')];
    },
  ],
  [
    'running sums of many',
    { a: { shape: [2, 700, 2], data: integers([2800], 9).data } },
    ({ a }) => [a.cumsum(1), a.cumsum(1, true), a.cumsum(1, false, true), a.cumsum(1, true, true)],
  ],
  ['strided slice', { a: x }, ({ a }) => tf.stridedSlice(a, [0, 1, 0], [3, 5, 7], [2, 2, 3])],
  ['prod', { a: positive }, ({ a }) => a.prod(1)],
  ['one-hot', { i: integers([4, 3], 5) }, ({ i }) => tf.oneHot(i, 5).cast('float32')],
  [
    'integer arithmetic',
    { i: integers([4, 3], 50), j: integers([3], 7, 'j') },
    ({ i, j }) => [i.mul(j), i.add(j), i.floorDiv(j.add(1)), i.sum(0)],
  ],
  [
    'rounding to the even neighbour',
    { a: x },
    ({ a }) => [a.mul(3).round(), a.mul(0).add([0.5, 1.5, 2.5, -0.5, -1.5, 3.5, 4.5]).round()],
  ],
  [
    'finite or not',
    { a: x },
    ({ a }) => {
      const odd = a.mul([1, Infinity, 1, 1, NaN, 1, 1]);
      return [tf.isFinite(odd), tf.isInf(odd), tf.isNaN(odd)].map((c) => c.cast('float32'));
    },
  ],
  [
    'exclusive or',
    { a: x, b: noise([3, 5, 7], 'b') },
    ({ a, b }) => tf.logicalXor(a.greater(0), b.greater(0)).cast('float32'),
  ],
  [
    'sequences',
    { a: x },
    ({ a }) => [
      a.add(tf.range(0, 7)),
      a.add(tf.linspace(-1, 1, 7)),
      a.add(tf.range(7, 0, -1, 'int32').cast('float32')),
    ],
  ],
  ['depth to space', { a: noise([2, 3, 2, 12]) }, ({ a }) => tf.depthToSpace(a as tf.Tensor4D, 2, 'NHWC')],
  ['gather by coordinates', { a: x, i: integers([6, 2], 3) }, ({ a, i }) => tf.gatherND(a, i)],
];

describe('recording backend: kernels and their gradients', () => {
  for (const [name, inputs, f] of cases) it(name, () => expectSame(inputs, f, 3e-5));
  for (const [name, inputs, f] of valuesOnly) it(`${name} (values)`, () => expectSameValues(inputs, f));
});
