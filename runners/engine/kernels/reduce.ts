// Operators along axes: sums, means, extremes, softmax, sorting.
import { int, type Value } from '../graph/ir.js';
import type { Builder } from '../graph/builder.js';
import { axesOf, kernel } from './register.js';

kernel('Sum', (build, { x }, { axis, keepDims }) => {
  const numbers = x.dtype === 'bool' ? build.cast(x, 'int32') : x;
  return build.reduce('Sum', numbers, axesOf(axis, x.shape.length), keepDims ?? false);
});
kernel('Mean', (build, { x }, { axis, keepDims }) =>
  build.reduce('Mean', build.cast(x, 'float32'), axesOf(axis, x.shape.length), keepDims ?? false),
);
kernel('Max', (build, { x }, { reductionIndices, keepDims }) =>
  build.reduce('Max', x, axesOf(reductionIndices, x.shape.length), keepDims ?? false),
);
kernel('Min', (build, { x }, { axis, keepDims }) =>
  build.reduce('Min', x, axesOf(axis, x.shape.length), keepDims ?? false),
);
kernel('Prod', (build, { x }, { axis, keepDims }) =>
  build.reduce('Prod', x, axesOf(axis, x.shape.length), keepDims ?? false),
);
kernel('All', (build, { x }, { axis, keepDims }) => logical(build, 'Min', x, axis, keepDims));
kernel('Any', (build, { x }, { axis, keepDims }) => logical(build, 'Max', x, axis, keepDims));

for (const name of ['ArgMax', 'ArgMin'] as const)
  kernel(name, (build, { x }, { axis }) => {
    const at = axesOf(axis, x.shape.length)[0];
    const shape = x.shape.filter((_, i) => i !== at);
    const index = build.op(name, [x], shape, { axis: int(at), keepdims: int(0) }, { dtype: 'int64' });
    return build.cast(index, 'int32');
  });

kernel('Softmax', (build, { logits: x }, { dim }) => {
  const axis = axesOf(dim ?? -1, x.shape.length)[0];
  return axis === x.shape.length - 1
    ? build.rowwise('Softmax', x)
    : build.op('Softmax', [x], x.shape, { axis: int(axis) });
});
kernel('LogSoftmax', (build, { logits: x }, { axis }) =>
  build.logSoftmax(x, axesOf(axis ?? -1, x.shape.length)[0]),
);

kernel('Cumsum', (build, { x }, { axis, exclusive, reverse }) =>
  build.op('CumSum', [x, build.graph.constant('int32', [], { splat: axis })], x.shape, {
    exclusive: int(Number(exclusive ?? false)),
    reverse: int(Number(reverse ?? false)),
  }),
);

/** From the largest to the smallest; of equal ones the first comes first, as in TensorFlow.js. */
kernel('TopK', (build, { x }, { k, sorted }) => {
  const shape = [...x.shape.slice(0, -1), k];
  const attributes = { axis: int(-1), largest: int(1), sorted: int(Number(sorted ?? true)) };
  const outputs = [{ dtype: x.dtype, shape } as const, { dtype: 'int64', shape } as const];
  const [values, indices] = build.graph.emit('TopK', [x, build.int64([k])], attributes, outputs);
  return [values, build.cast(indices, 'int32')];
});

function logical(
  build: Builder,
  reduction: 'Min' | 'Max',
  x: Value,
  axis: number | number[],
  keepDims?: boolean,
): Value {
  const numbers = build.cast(x, 'int32');
  return build.cast(
    build.reduce(reduction, numbers, axesOf(axis, x.shape.length), keepDims ?? false),
    'bool',
  );
}
