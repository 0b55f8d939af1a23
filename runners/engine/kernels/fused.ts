// Operations of modules/nn/ops that onnxruntime has in one piece.
import type { Builder } from '../graph/builder.js';
import { float, int, sizeOf, string, type Value } from '../graph/ir.js';
import { kernel } from './register.js';

kernel('mtcp.LayerNorm', (build, { x, gamma, beta }, { epsilon }) => {
  const statistics = { dtype: 'float32', shape: [...x.shape.slice(0, -1), 1] } as const;
  const attributes = { axis: int(-1), epsilon: float(epsilon) };
  const outputs = [{ dtype: 'float32', shape: x.shape } as const, statistics, statistics];
  return build.graph.emit('LayerNormalization', [x, gamma, beta], attributes, outputs);
});

kernel('mtcp.Gelu', (build, { x }) => build.op('Gelu', [x], x.shape));
kernel('mtcp.Relu', (build, { x }) => build.op('Relu', [x], x.shape));
kernel('mtcp.Detach', (_, { x }) => x);

/** A copy of x with nothing of `first` appended: the one dependency that costs no arithmetic. */
kernel('mtcp.After', (build, { x, first }) => {
  const nothing = build.slice(flat(build, first), [0], [0]);
  const inputs = [flat(build, x), nothing];
  return build.reshape(build.op('Concat', inputs, [sizeOf(x.shape)], { axis: int(0) }), x.shape);
});

kernel('mtcp.CrossEntropy', (build, { logits, labels }) => {
  const logProbabilities = build.op('LogSoftmax', [logits], logits.shape, { axis: int(1) });
  const picked = build.gather(flat(build, logProbabilities), places(build, labels, logits), 0);
  return [build.unary('Neg', picked, (v) => -v), logProbabilities];
});

/** dy softmax, less dy at the label's place. */
kernel('mtcp.CrossEntropyGradient', (build, { dy, logProbabilities, labels }) => {
  const [rows, classes] = logProbabilities.shape;
  const upstream = build.reshape(dy, [rows, 1]);
  const scaled = build.binary('Mul', build.unary('Exp', logProbabilities, Math.exp), upstream);
  const inputs = [
    flat(build, scaled),
    places(build, labels, logProbabilities),
    build.unary('Neg', dy, (v) => -v),
  ];
  const corrected = build.op('ScatterElements', inputs, [rows * classes], {
    axis: int(0),
    reduction: string('add'),
  });
  return build.reshape(corrected, [rows, classes]);
});

/**
 * out[index[i]] += rows[i]. onnxruntime's ScatterND with addition is a race when it runs on several threads, and
 * it runs on one as long as there is little to do; so the rows come in portions small enough for that.
 */
kernel('mtcp.ScatterRows', (build, { rows, index }, { count }) => {
  const [n, columns] = rows.shape;
  const portion = Math.max(1, Math.floor(SINGLE_THREAD_COST / columns));
  const sizes = Array.from({ length: Math.ceil(n / portion) }, (_, i) => Math.min(portion, n - i * portion));
  const where = build.split(build.reshape(build.cast(index, 'int64'), [n, 1]), sizes, 0);
  let sum = zeros(build, [count, columns]);
  build.split(rows, sizes, 0).forEach((part, i) => {
    sum = build.op('ScatterND', [sum, where[i], part], [count, columns], { reduction: string('add') });
  });
  return sum;
});

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
function places(build: Builder, labels: Value, { shape: [rows, classes] }: Value): Value {
  const starts = Int32Array.from({ length: rows }, (_, row) => row * classes);
  return build.binary('Add', labels, build.graph.constant('int32', [rows], { data: starts }));
}
