// Operations of modules/nn/ops for which onnxruntime has a single operator.
import { OPERATIONS } from '../../../registry/contracts/operations.js';
import type { Builder } from '../graph/builder.js';
import { float, int, sizeOf, string, type Value } from '../graph/ir.js';
import { beforeReshape } from '../graph/views.js';
import { operation } from './register.js';

operation(OPERATIONS.LayerNorm, (build, { x, gamma, beta }, { epsilon }) => {
  const rows = beforeReshape(x, 1);
  const statistics = { dtype: 'float32', shape: [...rows.shape.slice(0, -1), 1] } as const;
  const attributes = { axis: int(-1), epsilon: float(epsilon) };
  const outputs = [{ dtype: 'float32', shape: rows.shape } as const, statistics, statistics];
  const [y, mean, inverse] = build.graph.emit('LayerNormalization', [rows, gamma, beta], attributes, outputs);
  const kept = [...x.shape.slice(0, -1), 1];
  return [build.reshape(y, x.shape), build.reshape(mean, kept), build.reshape(inverse, kept)];
});

operation(OPERATIONS.Gelu, (build, { x }) => build.pointwise('Gelu', x));
operation(OPERATIONS.Relu, (build, { x }) => build.pointwise('Relu', x));
operation(OPERATIONS.Detach, (_, { x }) => x);

/** A copy of x with nothing of `first` appended: the one dependency that costs no arithmetic. */
operation(OPERATIONS.After, (build, { x, first }) => {
  const nothing = build.slice(flat(build, first), [0], [0]);
  const inputs = [flat(build, x), nothing];
  return build.reshape(build.op('Concat', inputs, [sizeOf(x.shape)], { axis: int(0) }), x.shape);
});

operation(OPERATIONS.CrossEntropy, (build, { logits, labels }) => {
  const logProbabilities = build.logSoftmax(logits, 1);
  const picked = build.gather(flat(build, logProbabilities), positions(build, labels, logits), 0);
  return [build.unary('Neg', picked, (v) => -v), logProbabilities];
});

/** dy * softmax, minus dy at the index of the label. */
operation(OPERATIONS.CrossEntropyGradient, (build, { dy, logProbabilities, labels }) => {
  const [rows, classes] = logProbabilities.shape;
  const upstream = build.reshape(dy, [rows, 1]);
  const scaled = build.binary('Mul', build.unary('Exp', logProbabilities, Math.exp), upstream);
  const inputs = [
    flat(build, scaled),
    positions(build, labels, logProbabilities),
    build.unary('Neg', dy, (v) => -v),
  ];
  const corrected = build.op('ScatterElements', inputs, [rows * classes], {
    axis: int(0),
    reduction: string('add'),
  });
  return build.reshape(corrected, [rows, classes]);
});

/**
 * out[g, index[g, i, j]] += shares[g, i, j] rows[g, i]. In one go for a compiler. onnxruntime's ScatterND with addition is a race when it runs on
 * several threads, and it runs on one as long as there is little to do; so it is done in portions small enough for
 * that. Each of them copies the table that it adds to: tables are small, too, those of a few groups.
 */
operation(OPERATIONS.ScatterShares, (build, { shares, rows, index }, { count }) => {
  const [groups, n, k] = shares.shape;
  const columns = rows.shape[2];
  if (build.target.compiles) return scatterWhole(build, shares, rows, index, count);
  const together = Math.max(1, Math.min(groups, Math.floor(TABLE / (count * columns))));
  const positions = build.cast(index, 'int64');
  const tables = parcels(groups, together).map((size, t) => {
    const own = (x: Value) => build.slice(x, [t * together, 0, 0], [t * together + size, n, x.shape[2]]);
    const starts = BigInt64Array.from({ length: size }, (_, g) => BigInt(g * count));
    const offsets = build.graph.constant('int64', [size, 1, 1], { data: starts });
    const where = build.binary('Add', own(positions), offsets);
    const portion = Math.max(1, Math.floor(SINGLE_THREAD_COST / (k * columns)));
    const sizes = parcels(size * n, portion * PORTIONS_AT_ONCE);
    const parts = (x: Value, shape: number[]) =>
      build.split(build.reshape(x, [size * n, ...shape]), sizes, 0);
    const [weights, vectors, at] = [
      parts(own(shares), [k, 1]),
      parts(own(rows), [1, columns]),
      parts(where, [k, 1]),
    ];
    let table = zeros(build, [size * count, columns]);
    sizes.forEach((queries, i) => {
      const portions = parcels(queries, portion);
      const spread = build.split(build.binary('Mul', weights[i], vectors[i]), portions, 0);
      build.split(at[i], portions, 0).forEach((positions, j) => {
        table = build.op('ScatterND', [table, positions, spread[j]], table.shape, {
          reduction: string('add'),
        });
      });
    });
    return table;
  });
  return build.reshape(build.concat(tables, 0), [groups, count, columns]);
});

function scatterWhole(build: Builder, shares: Value, rows: Value, index: Value, count: number): Value {
  const [groups, n, k] = shares.shape;
  const columns = rows.shape[2];
  const starts = Int32Array.from({ length: groups }, (_, g) => g * count);
  const offsets = build.graph.constant('int32', [groups, 1, 1], { data: starts });
  const where = build.cast(build.binary('Add', index, offsets), 'int64');
  const spread = build.binary(
    'Mul',
    build.reshape(shares, [groups, n, k, 1]),
    build.reshape(rows, [groups, n, 1, columns]),
  );
  const inputs = [
    zeros(build, [groups * count, columns]),
    build.reshape(where, [groups * n * k, 1]),
    build.reshape(spread, [groups * n * k, columns]),
  ];
  const table = build.op('ScatterND', inputs, [groups * count, columns], { reduction: string('add') });
  return build.reshape(table, [groups, count, columns]);
}

/** Numbers in a table that portions are added to, at most: copies within a core's cache. */
const TABLE = 1 << 17;

/** `n` in parts of `most`, the last one smaller. */
function parcels(n: number, most: number): number[] {
  return Array.from({ length: Math.ceil(n / most) }, (_, i) => Math.min(most, n - i * most));
}

/** Portions whose numbers are multiplied out by one operator: few enough to stay in a cache. */
const PORTIONS_AT_ONCE = 8;

/** onnxruntime stays on one thread below about 200,000 "cycles", one for each number that is written. */
const SINGLE_THREAD_COST = 160_000;

/** A zero-filled value that is computed, not stored in the model. */
function zeros(build: Builder, shape: number[]): Value {
  return build.op('ConstantOfShape', [build.int64(shape)], shape, {}, { dtype: 'float32' });
}

function flat(build: Builder, x: Value): Value {
  return build.reshape(x, [sizeOf(x.shape)]);
}

/** Where the label of each row of `x`, [rows, classes], is among all numbers of `x`. */
function positions(build: Builder, labels: Value, { shape: [rows, classes] }: Value): Value {
  const starts = Int32Array.from({ length: rows }, (_, row) => row * classes);
  return build.binary('Add', labels, build.graph.constant('int32', [rows], { data: starts }));
}
