// Elementwise operators, with operands broadcast by NumPy's rules.
import { lowering } from './lowering.js';

const BINARY = {
  Add: 'add',
  Sub: 'subtract',
  Mul: 'multiply',
  Div: 'divide',
  Max: 'maximum',
  Min: 'minimum',
  Pow: 'power',
  And: 'and',
  Or: 'or',
  Xor: 'xor',
};
for (const [name, op] of Object.entries(BINARY)) lowering(name, (o, w) => w.binary(op, o.wide(0), o.wide(1)));

// With the sign of the divisor, as Python's; `fmod` asks for C's.
lowering('Mod', (o, w) => {
  const [a, b] = [o.wide(0), o.wide(1)];
  const rest = w.binary('remainder', a, b);
  if (o.int('fmod') === 1) return rest;
  const zero = w.fill(0, rest.dtype, rest.shape);
  const differs = w.compare('NE', w.compare('LT', rest, zero), w.compare('LT', b, zero));
  const isOff = w.binary('and', differs, w.compare('NE', rest, zero));
  return w.select(isOff, w.binary('add', rest, b), rest);
});

const COMPARE = { Equal: 'EQ', Greater: 'GT', GreaterOrEqual: 'GE', Less: 'LT', LessOrEqual: 'LE' } as const;
for (const [name, direction] of Object.entries(COMPARE))
  lowering(name, (o, w) => {
    const shape = o.out.shape;
    return w.compare(direction, o.wide(0, shape), o.wide(1, shape));
  });

const UNARY = {
  Abs: 'abs',
  Neg: 'negate',
  Exp: 'exponential',
  Log: 'log',
  Sqrt: 'sqrt',
  Sigmoid: 'logistic',
  Tanh: 'tanh',
  Floor: 'floor',
  Ceil: 'ceil',
  Round: 'round_nearest_even',
  Cos: 'cosine',
  Sin: 'sine',
  Tan: 'tan',
  Sign: 'sign',
  Not: 'not',
};
for (const [name, op] of Object.entries(UNARY)) lowering(name, (o, w) => w.unary(op, o.arg(0)));

for (const name of ['Erf', 'Acos', 'Asin', 'Atan', 'Sinh', 'Cosh', 'Asinh', 'Acosh', 'Atanh'])
  lowering(name, (o, w) => w.chlo(name.toLowerCase(), o.arg(0)));

lowering('Identity', (o) => o.arg(0));
lowering('Relu', (o, w) => w.with('maximum', o.arg(0), 0));
lowering('Reciprocal', (o, w) => w.binary('divide', w.fill(1, 'float32', o.out.shape), o.arg(0)));
lowering('IsNaN', (o, w) => w.compare('NE', o.arg(0), o.arg(0)));
lowering('IsInf', (o, w) => {
  const x = w.unary('abs', o.arg(0));
  return w.compare('EQ', x, w.fill(Infinity, 'float32', x.shape));
});
lowering('Cast', (o, w) => w.convert(o.arg(0), o.out.dtype));
lowering('Where', (o, w) => w.select(o.wide(0), o.wide(1), o.wide(2)));

lowering('Clip', (o, w) => {
  const low = o.has(1) ? w.binary('maximum', o.arg(0), o.wide(1)) : o.arg(0);
  return o.has(2) ? w.binary('minimum', low, o.wide(2)) : low;
});

lowering('Gelu', (o, w) => {
  const x = o.arg(0);
  const erf = w.chlo('erf', w.with('multiply', x, Math.SQRT1_2));
  return w.binary('multiply', w.with('multiply', x, 0.5), w.with('add', erf, 1));
});

// max(x, 0) + log(1 + exp(-|x|)), which does not overflow.
lowering('Softplus', (o, w) => {
  const x = o.arg(0);
  const rest = w.unary('log_plus_one', w.unary('exponential', w.unary('negate', w.unary('abs', x))));
  return w.binary('add', w.with('maximum', x, 0), rest);
});

lowering('Elu', (o, w) => {
  const x = o.arg(0);
  const below = w.with('multiply', w.unary('exponential_minus_one', x), o.float('alpha', 1));
  return w.select(w.compare('GT', x, w.fill(0, 'float32', x.shape)), x, below);
});

lowering('Selu', (o, w) => {
  const x = o.arg(0);
  const gamma = o.float('gamma', 1.0507009873554805);
  const below = w.with(
    'multiply',
    w.unary('exponential_minus_one', x),
    gamma * o.float('alpha', 1.6732632423543772),
  );
  return w.select(w.compare('GT', x, w.fill(0, 'float32', x.shape)), w.with('multiply', x, gamma), below);
});

lowering('PRelu', (o, w) => {
  const x = o.wide(0);
  const below = w.binary('multiply', x, o.wide(1));
  return w.select(w.compare('LT', x, w.fill(0, 'float32', x.shape)), below, x);
});

lowering('LeakyRelu', (o, w) => {
  const x = o.arg(0);
  const below = w.with('multiply', x, o.float('alpha', 0.01));
  return w.select(w.compare('LT', x, w.fill(0, 'float32', x.shape)), below, x);
});
