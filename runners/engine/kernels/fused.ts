// Operations of modules/nn/ops that onnxruntime has in one piece.
import type { Builder } from '../graph/builder.js';
import { float, int, string, type Value } from '../graph/ir.js';
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

kernel('mtcp.CrossEntropy', (build, { logits, labels }) => {
  const logProbabilities = build.op('LogSoftmax', [logits], logits.shape, { axis: int(1) });
  const picked = pick(build, logProbabilities, labels);
  return [build.unary('Neg', build.reshape(picked, labels.shape), (v) => -v), logProbabilities];
});

/** dy softmax, less dy at the label's place. */
kernel('mtcp.CrossEntropyGradient', (build, { dy, logProbabilities, labels }) => {
  const upstream = build.reshape(dy, [dy.shape[0], 1]);
  const scaled = build.binary('Mul', build.unary('Exp', logProbabilities, Math.exp), upstream);
  const corrected = build.binary('Sub', pick(build, scaled, labels), upstream);
  return build.op('ScatterElements', [scaled, column(build, labels), corrected], scaled.shape, {
    axis: int(1),
  });
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

function column(build: Builder, labels: Value): Value {
  return build.cast(build.reshape(labels, [labels.shape[0], 1]), 'int64');
}

/** The element of each row that its label points to, [n, 1]. */
function pick(build: Builder, x: Value, labels: Value): Value {
  return build.op('GatherElements', [x, column(build, labels)], [x.shape[0], 1], { axis: int(1) });
}
