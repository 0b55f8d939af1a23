// Elementwise operators: arithmetic, functions, comparisons, selection.
import type { Builder, Compare } from '../graph/builder.js';
import type { Binary } from '../graph/constants.js';
import { float, int, type Value } from '../graph/ir.js';
import { kernel, kernels, listOf, type KernelName } from './register.js';

const BINARY: Partial<Record<KernelName, Binary>> = {
  Add: 'Add',
  Sub: 'Sub',
  Multiply: 'Mul',
  RealDiv: 'Div',
  Maximum: 'Max',
  Minimum: 'Min',
  Pow: 'Pow',
};
kernels(BINARY, (op, build, { a, b }) => build.binary(op, a, b));

const UNARY: Partial<Record<KernelName, [op: string, fold: (x: number) => number]>> = {
  Abs: ['Abs', Math.abs],
  Acos: ['Acos', Math.acos],
  Acosh: ['Acosh', Math.acosh],
  Asin: ['Asin', Math.asin],
  Asinh: ['Asinh', Math.asinh],
  Atan: ['Atan', Math.atan],
  Atanh: ['Atanh', Math.atanh],
  Ceil: ['Ceil', Math.ceil],
  Cos: ['Cos', Math.cos],
  Cosh: ['Cosh', Math.cosh],
  Exp: ['Exp', Math.exp],
  Floor: ['Floor', Math.floor],
  Log: ['Log', Math.log],
  Neg: ['Neg', (x) => -x],
  Reciprocal: ['Reciprocal', (x) => 1 / x],
  Relu: ['Relu', (x) => Math.max(0, x)],
  Sigmoid: ['Sigmoid', (x) => 1 / (1 + Math.exp(-x))],
  Sign: ['Sign', Math.sign],
  Sin: ['Sin', Math.sin],
  Sinh: ['Sinh', Math.sinh],
  Softplus: ['Softplus', (x) => Math.log1p(Math.exp(x))],
  Sqrt: ['Sqrt', Math.sqrt],
  Tan: ['Tan', Math.tan],
  Tanh: ['Tanh', Math.tanh],
};
kernels(UNARY, ([op, fold], build, { x }) => build.unary(op, x, (v) => Math.fround(fold(v))));

// Halves go to the even neighbour.
kernel('Round', (build, { x }) => build.pointwise('Round', x));
kernel('Erf', (build, { x }) => build.pointwise('Erf', x));
kernel('Rsqrt', (build, { x }) =>
  build.unary(
    'Reciprocal',
    build.unary('Sqrt', x, (v) => Math.fround(Math.sqrt(v))),
    (v) => Math.fround(1 / v),
  ),
);
kernel('Square', (build, { x }) => build.binary('Mul', x, x));
kernel('SquaredDifference', (build, { a, b }) => {
  const difference = build.binary('Sub', a, b);
  return build.binary('Mul', difference, difference);
});
kernel('Log1p', (build, { x }) => build.unary('Log', add(build, x, 1), (v) => Math.fround(Math.log(v))));
kernel('Expm1', (build, { x }) =>
  add(
    build,
    build.unary('Exp', x, (v) => Math.fround(Math.exp(v))),
    -1,
  ),
);
kernel('Elu', (build, { x }) => build.pointwise('Elu', x, { alpha: float(1) }));
kernel('Selu', (build, { x }) => build.pointwise('Selu', x));
kernel('LeakyRelu', (build, { x }, { alpha }) => build.pointwise('LeakyRelu', x, { alpha: float(alpha) }));
kernel('Prelu', (build, { x, alpha }) => build.binary('PRelu', x, alpha));
kernel('Relu6', (build, { x }) => clip(build, x, 0, 6));
kernel('ClipByValue', (build, { x }, { clipValueMin, clipValueMax }) =>
  clip(build, x, clipValueMin, clipValueMax),
);
kernel('AddN', (build, inputs) => listOf(inputs).reduce((sum, value) => build.binary('Add', sum, value)));
kernel('FloorDiv', (build, { a, b }) => {
  if (a.dtype === 'int32') {
    const quotient = build.binary('Div', build.cast(a, 'float32'), build.cast(b, 'float32'));
    return build.cast(build.unary('Floor', quotient, Math.floor), 'int32');
  }
  return build.unary('Floor', build.binary('Div', a, b), Math.floor);
});
kernel('Mod', (build, { a, b }) => {
  const quotient = build.unary('Floor', build.binary('Div', a, b), Math.floor);
  return build.binary('Sub', a, build.binary('Mul', quotient, b));
});

/** step(x) = 1 where x > 0, alpha elsewhere. */
kernel('Step', (build, { x }, { alpha }) => {
  const positive = build.cast(build.compare('Greater', x, build.splat(0, [], x.dtype)), x.dtype);
  if (!alpha) return positive;
  return add(build, build.binary('Mul', positive, build.splat(1 - alpha, [])), alpha);
});

const COMPARE: Partial<Record<KernelName, Compare>> = {
  Equal: 'Equal',
  Greater: 'Greater',
  GreaterEqual: 'GreaterOrEqual',
  Less: 'Less',
  LessEqual: 'LessOrEqual',
};
kernels(COMPARE, (op, build, { a, b }) => build.compare(op, a, b));
kernel('NotEqual', (build, { a, b }) => not(build, build.compare('Equal', a, b)));

kernel('LogicalNot', (build, { x }) => not(build, x));
kernel('LogicalAnd', (build, { a, b }) => logical(build, 'And', a, b));
kernel('LogicalXor', (build, { a, b }) => logical(build, 'Xor', a, b));
kernel('LogicalOr', (build, { a, b }) => logical(build, 'Or', a, b));
kernel('IsNan', (build, { x }) => isNaN(build, x));
kernel('IsInf', (build, { x }) => build.op('IsInf', [x], x.shape, {}, { dtype: 'bool' }));
// x - x is NaN for NaN and infinities.
kernel('IsFinite', (build, { x }) => not(build, isNaN(build, build.op('Sub', [x, x], x.shape))));

kernel('Select', (build, { condition, t, e }) => {
  const extra = t.shape.length - condition.shape.length;
  const aligned =
    extra > 0 ? build.reshape(condition, [...condition.shape, ...Array<number>(extra).fill(1)]) : condition;
  return build.where(build.cast(aligned, 'bool'), t, e);
});

kernel('Cast', (build, { x }, { dtype }) => build.cast(x, dtype));
kernel('OneHot', (build, { indices }, { depth, onValue, offValue, dtype }) => {
  // onnxruntime has the operator for int64 indices and float values.
  const values = build.graph.constant('float32', [2], { data: Float32Array.of(offValue, onValue) });
  const inputs = [build.cast(indices, 'int64'), build.int64([depth]), values];
  const onehot = build.op(
    'OneHot',
    inputs,
    [...indices.shape, depth],
    { axis: int(-1) },
    { dtype: 'float32' },
  );
  return build.cast(onehot, dtype === 'float32' ? 'float32' : 'int32');
});
kernel('EluGrad', (build, { dy, y }) => {
  // For y > 0 the slope is 1, otherwise exp(x) = y + 1.
  const slope = build.binary('Min', add(build, y, 1), build.splat(1, []));
  return build.binary('Mul', dy, slope);
});

function add(build: Builder, x: Value, amount: number): Value {
  return build.binary('Add', x, build.splat(amount, []));
}

function isNaN(build: Builder, x: Value): Value {
  return build.op('IsNaN', [x], x.shape, {}, { dtype: 'bool' });
}

function not(build: Builder, x: Value): Value {
  return build.pointwise('Not', x);
}

function logical(build: Builder, op: 'And' | 'Or' | 'Xor', a: Value, b: Value): Value {
  const shape = a.shape.length >= b.shape.length ? a.shape : b.shape;
  return build.op(op, [build.expand(a, shape), build.expand(b, shape)], shape, {}, { dtype: 'bool' });
}

function clip(build: Builder, x: Value, low: number, high: number): Value {
  return build.op('Clip', [x, build.splat(low, [], x.dtype), build.splat(high, [], x.dtype)], x.shape);
}
