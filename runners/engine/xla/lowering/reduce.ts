// Operators that take many elements together: sums and extrema, softmax, normalisation, positions of extrema.
import type { DType, Shape } from '../../graph/ir.js';
import { lowering, type Operator } from './lowering.js';
import { integersOf, type Named, type ReduceName, type Writer } from './writer.js';

const LEAST: Readonly<Record<DType, number>> = {
  float32: -Infinity,
  int32: -(2 ** 31),
  int64: -(2 ** 53),
  bool: 0,
};
const MOST: Readonly<Record<DType, number>> = {
  float32: Infinity,
  int32: 2 ** 31 - 1,
  int64: 2 ** 53,
  bool: 1,
};

const REDUCE: Readonly<Record<string, { op: ReduceName; initial(dtype: DType): number }>> = {
  ReduceSum: { op: 'add', initial: () => 0 },
  ReduceMean: { op: 'add', initial: () => 0 },
  ReduceProd: { op: 'multiply', initial: () => 1 },
  ReduceMax: { op: 'maximum', initial: (dtype) => LEAST[dtype] },
  ReduceMin: { op: 'minimum', initial: (dtype) => MOST[dtype] },
};

for (const [name, { op, initial }] of Object.entries(REDUCE))
  lowering(name, (o, w) => {
    const axes = axesOf(o);
    const x = o.arg(0);
    const reduced = w.reduce(op, x, axes, initial(x.dtype));
    const count = axes.reduce((product, axis) => product * x.shape[axis], 1);
    return w.reshape(name === 'ReduceMean' ? w.with('multiply', reduced, 1 / count) : reduced, o.out.shape);
  });

function axesOf(o: Operator): number[] {
  const { shape } = o.inputs[0]!;
  if (!o.has(1)) return shape.map((_, axis) => axis);
  const axes = integersOf(o.inputs[1], `the axes of ${o.node.op}`);
  return axes.map((axis) => (axis < 0 ? axis + shape.length : axis)).sort((a, b) => a - b);
}

/** What was reduced over `axis`, along it again. */
const along = (w: Writer, reduced: Named, shape: Shape, axis: number): Named =>
  w.broadcastInDim(
    reduced,
    shape,
    shape.flatMap((_, i) => (i === axis ? [] : i)),
  );

for (const name of ['Softmax', 'LogSoftmax'])
  lowering(name, (o, w) => {
    const x = o.arg(0);
    const axis = o.axis('axis', x.shape.length, -1);
    const most = w.reduce('maximum', x, [axis], -Infinity);
    const shifted = w.binary('subtract', x, along(w, most, x.shape, axis));
    const powers = w.unary('exponential', shifted);
    const sum = w.reduce('add', powers, [axis], 0);
    return name === 'Softmax'
      ? w.binary('divide', powers, along(w, sum, x.shape, axis))
      : w.binary('subtract', shifted, along(w, w.unary('log', sum), x.shape, axis));
  });

// The first of equal extrema.
for (const [name, op, pick] of [
  ['ArgMax', 'maximum', LEAST],
  ['ArgMin', 'minimum', MOST],
] as const)
  lowering(name, (o, w) => {
    const x = o.arg(0);
    const axis = o.axis('axis', x.shape.length, 0);
    const extremum = w.reduce(op, x, [axis], pick[x.dtype]);
    const isHit = w.compare('EQ', x, along(w, extremum, x.shape, axis));
    const positions = w.iota(axis, 'int64', x.shape);
    const last = w.fill(x.shape[axis], 'int64', x.shape);
    return w.reshape(w.reduce('minimum', w.select(isHit, positions, last), [axis], 2 ** 53), o.out.shape);
  });

/** Numbers along an axis up to which their sums are a product with a triangle of ones. */
const TRIANGLE = 512;

lowering('CumSum', (o, w) => {
  const x = o.arg(0);
  const [given] = integersOf(o.inputs[1], 'the axis of CumSum');
  const axis = given < 0 ? given + x.shape.length : given;
  if (x.shape[axis] > TRIANGLE) return doubled(o, w, x, axis);
  const square = [x.shape[axis], x.shape[axis]];
  const [from, to] = [w.iota(0, 'int32', square), w.iota(1, 'int32', square)];
  const [first, second] = o.int('reverse') ? [to, from] : [from, to];
  const counts = w.compare(o.int('exclusive') ? 'LT' : 'LE', first, second);
  const sums = w.dot(x, w.convert(counts, 'float32'), [[], []], [[axis], [0]], 'float32');
  const last = x.shape.length - 1;
  return w.transpose(
    sums,
    x.shape.map((_, i) => (i < axis ? i : i === axis ? last : i - 1)),
  );
});

/** Sums of 1, 2, 4, ... numbers, each from two of those before. */
function doubled(o: Operator, w: Writer, x: Named, axis: number): Named {
  const length = x.shape[axis];
  const isReverse = o.int('reverse') === 1;
  const zero = w.scalar(0, x.dtype);
  const moved = (sums: Named, by: number): Named => {
    const kept = w.slice(
      sums,
      x.shape.map((n, i) => (i !== axis ? [0, n, 1] : isReverse ? [by, length, 1] : [0, length - by, 1])),
    );
    const fill = x.shape.map((_, i) => (i === axis ? by : 0));
    const none = x.shape.map(() => 0);
    return w.pad(kept, zero, isReverse ? none : fill, isReverse ? fill : none, x.shape);
  };
  let sums = o.int('exclusive') ? moved(x, 1) : x;
  for (let by = 1; by < length; by *= 2) sums = w.binary('add', sums, moved(sums, by));
  return sums;
}

/** A stable sort of the values with their positions. */
lowering('TopK', (o, w) => {
  const x = o.arg(0);
  const axis = x.shape.length - 1;
  const direction = o.int('largest', 1) ? 'GT' : 'LT';
  const sorted = w.sort(x, w.iota(axis, 'int64', x.shape), axis, direction);
  o.node.outputs.forEach((output, i) => {
    const ranges = output.shape.map((n): [number, number, number] => [0, n, 1]);
    w.define(output, w.slice(sorted[i], ranges));
  });
  return undefined;
});

lowering('LayerNormalization', (o, w) => {
  const x = o.arg(0);
  const axis = x.shape.length - 1;
  const scale = 1 / x.shape[axis];
  const mean = w.with('multiply', w.reduce('add', x, [axis], 0), scale);
  const centred = w.binary('subtract', x, along(w, mean, x.shape, axis));
  const squares = w.reduce('add', w.binary('multiply', centred, centred), [axis], 0);
  const variance = w.with('multiply', squares, scale);
  const inverse = w.unary('rsqrt', w.with('add', variance, o.float('epsilon', 1e-5)));
  const normal = w.binary('multiply', centred, along(w, inverse, x.shape, axis));
  const scaled = w.binary('multiply', normal, o.wide(1, x.shape));
  w.define(o.out, o.has(2) ? w.binary('add', scaled, o.wide(2, x.shape)) : scaled);
  const [, means, inverses] = o.node.outputs;
  if (means) w.define(means, w.reshape(mean, means.shape));
  if (inverses) w.define(inverses, w.reshape(inverse, inverses.shape));
  return undefined;
});
