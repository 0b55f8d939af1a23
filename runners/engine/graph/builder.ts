// Operators as methods. Each knows the type and shape of its result and simplifies at once what static shapes and
// known constants allow: x*1, x+0, a reshape of a reshape, transposes that cancel or that a matrix product can
// absorb. Most of what an optimiser would find in the finished graph is avoided here, while recording.
import {
  float,
  int,
  ints,
  openShape,
  sameShape,
  sizeOf,
  type Attribute,
  type DType,
  type Graph,
  type Shape,
  type Value,
} from './ir.js';
import { broadcast, pairwiseViews, type PairwiseViews } from './broadcast.js';
import { TARGETS, type Target } from './target.js';
import {
  axesBeforeReshape,
  axesLeaving,
  beforeReshape,
  keptShape,
  operandsBeforeReshape,
  sourceOf,
} from './views.js';
import { foldBinary, splatOf, type Binary } from './constants.js';
import { beforeMatmul, matmulShape, permutationOf, scaled, swapsLastTwo } from './matmul.js';

export type Compare = 'Equal' | 'Greater' | 'GreaterOrEqual' | 'Less' | 'LessOrEqual';

/** Emits operators into a graph. */
export class Builder {
  constructor(
    readonly graph: Graph,
    readonly target: Target = TARGETS.cpu,
  ) {}

  splat(value: number, shape: Shape, dtype: DType = 'float32'): Value {
    return this.graph.constant(dtype, shape, { splat: value });
  }

  int64(values: readonly number[]): Value {
    return this.graph.constant('int64', [values.length], { data: BigInt64Array.from(values, BigInt) });
  }

  /** One output of an operator that needs no short cuts. */
  op(
    name: string,
    inputs: readonly (Value | null)[],
    shape: Shape,
    attributes: Record<string, Attribute> = {},
    { dtype = inputs[0]!.dtype, domain }: { dtype?: DType; domain?: 'com.microsoft' } = {},
  ): Value {
    return this.graph.emit(name, inputs, attributes, [{ dtype, shape }], domain)[0];
  }

  unary(name: string, x: Value, fold: (v: number) => number): Value {
    const splat = splatOf(x);
    if (splat !== undefined) return this.splat(fold(splat), x.shape, x.dtype);
    if (x.node?.op === 'Expand') return this.expand(this.unary(name, x.node.inputs[0]!, fold), x.shape);
    return this.pointwise(name, x);
  }

  /** An operator that works on each number by itself. */
  pointwise(name: string, x: Value, attributes: Record<string, Attribute> = {}, dtype = x.dtype): Value {
    const source = sourceOf(x) ?? x;
    return this.reshape(this.op(name, [source], source.shape, attributes, { dtype }), x.shape);
  }

  /** An operator that works along the last axis, such as softmax. */
  rowwise(name: string, x: Value): Value {
    const source = beforeReshape(x, 1);
    const axis = int(source.shape.length - 1);
    return this.reshape(this.op(name, [source], source.shape, { axis }), x.shape);
  }

  binary(name: Binary, a: Value, b: Value): Value {
    const shape = broadcast(a.shape, b.shape);
    const [x, y] = [splatOf(a), splatOf(b)];
    if (x !== undefined && y !== undefined) return this.splat(foldBinary(name, x, y), shape, a.dtype);
    if (name === 'Add' && x === 0) return this.expand(b, shape);
    if ((name === 'Add' || name === 'Sub') && y === 0) return this.expand(a, shape);
    if (name === 'Mul' && (x === 0 || y === 0)) return this.splat(0, shape, a.dtype);
    if (name === 'Mul' && x === 1) return this.expand(b, shape);
    if ((name === 'Mul' || name === 'Div') && y === 1) return this.expand(a, shape);
    if (name === 'Div' && x === 0) return this.splat(0, shape, a.dtype);
    if (name === 'Pow' && y === 1) return this.expand(a, shape);
    return this.#pairwise(a, b, shape, a.dtype, (left, right, at) => this.op(name, [left, right], at));
  }

  compare(name: Compare, a: Value, b: Value): Value {
    const shape = broadcast(a.shape, b.shape);
    return this.#pairwise(a, b, shape, 'bool', (left, right, at) =>
      this.op(name, [left, right], at, {}, { dtype: 'bool' }),
    );
  }

  /** Applies `op` to operands in the shapes that broadcast fastest; see graph/broadcast.ts. */
  #pairwise(
    a: Value,
    b: Value,
    shape: Shape,
    dtype: DType,
    op: (left: Value, right: Value, shape: Shape) => Value,
  ): Value {
    const [left, right] = this.#narrow(a, b);
    // If neither operand is as large as the result, the small result is computed and expanded where it is needed.
    const narrow = broadcast(left.shape, right.shape);
    if (sizeOf(narrow) === 0) return this.splat(0, shape, dtype);
    const operands = operandsBeforeReshape(left, right) ?? [left, right];
    const { views, repeat } = this.#viewsOf(operands[0].shape, operands[1].shape);
    const fitted = operands.map((value, side) => {
      return this.reshape(repeat?.side === side ? this.#repeated(value, repeat) : value, views[side]);
    });
    const result = op(fitted[0], fitted[1], broadcast(views[0], views[1]));
    return this.expand(this.reshape(result, narrow), shape);
  }

  /** A compiler broadcasts as it likes. */
  #viewsOf(a: Shape, b: Shape): PairwiseViews {
    return this.target.compiles ? { views: [a, b] } : pairwiseViews(a, b);
  }

  #repeated(value: Value, { from, to }: NonNullable<PairwiseViews['repeat']>): Value {
    // A vector needs one operator: its copies lie one after the other.
    if (from.length === 1 && to.length === 1)
      return this.op('Tile', [this.reshape(value, from), this.int64([to[0] / from[0]])], to);
    return this.op('Expand', [this.reshape(value, from), this.int64(to)], to);
  }

  where(condition: Value, a: Value, b: Value): Value {
    const shape = broadcast(condition.shape, broadcast(a.shape, b.shape));
    const choices = this.#narrow(a, b);
    if (sizeOf(broadcast(condition.shape, broadcast(choices[0].shape, choices[1].shape))) < sizeOf(shape))
      return this.op('Where', [condition, a, b], shape, {}, { dtype: a.dtype });
    return this.op('Where', [condition, ...choices], shape, {}, { dtype: a.dtype });
  }

  /** Operands as small as broadcasting allows: splats become scalars, expansions their source. */
  #narrow(a: Value, b: Value): [Value, Value] {
    const shrink = (value: Value): Value => {
      const splat = splatOf(value);
      if (splat !== undefined) return this.splat(splat, [], value.dtype);
      return value.node?.op === 'Expand' ? value.node.inputs[0]! : value;
    };
    return [shrink(a), shrink(b)];
  }

  expand(x: Value, shape: Shape): Value {
    if (sameShape(x.shape, shape)) return x;
    const splat = splatOf(x);
    if (splat !== undefined) return this.splat(splat, shape, x.dtype);
    if (sizeOf(x.shape) === sizeOf(shape)) return this.reshape(x, shape);
    return this.op('Expand', [x, this.int64(shape)], shape);
  }

  cast(x: Value, dtype: DType): Value {
    if (x.dtype === dtype) return x;
    const splat = splatOf(x);
    if (splat !== undefined)
      return this.splat(dtype === 'float32' ? splat : Math.trunc(splat), x.shape, dtype);
    return this.pointwise('Cast', x, { to: int({ float32: 1, int32: 6, int64: 7, bool: 9 }[dtype]) }, dtype);
  }

  reshape(x: Value, shape: Shape): Value {
    if (sameShape(x.shape, shape)) return x;
    if (x.constant) return this.graph.constant(x.dtype, shape, x.constant);
    const source = x.node?.op === 'Reshape' ? x.node.inputs[0]! : x;
    if (sameShape(source.shape, shape)) return source;
    return this.op('Reshape', [source, this.int64(openShape(shape))], shape);
  }

  transpose(x: Value, permutation: readonly number[]): Value {
    const shape = permutation.map((axis) => x.shape[axis]);
    const splat = splatOf(x);
    if (splat !== undefined) return this.splat(splat, shape, x.dtype);
    const moved = permutation.filter((axis) => x.shape[axis] !== 1);
    if (moved.every((axis, i) => i === 0 || moved[i - 1] < axis)) return this.reshape(x, shape);
    const inner = permutationOf(x);
    if (inner)
      return this.transpose(
        x.node!.inputs[0]!,
        permutation.map((axis) => inner[axis]),
      );
    return this.op('Transpose', [x], shape, { perm: ints(permutation) });
  }

  /**
   * alpha * a b over the last two axes, leading axes broadcast; `transA`/`transB` swap the last two axes.
   * The FusedMatMul operator where there is one: it transposes for free, and onnxruntime does not turn it into the
   * slower biased Gemm when an addition follows.
   */
  matmul(a: Value, b: Value, { transA = false, transB = false, alpha = 1 } = {}): Value {
    if (splatOf(a) === 0 || splatOf(b) === 0)
      return this.splat(0, matmulShape(a.shape, b.shape, transA, transB));
    if (swapsLastTwo(a)) return this.matmul(a.node!.inputs[0]!, b, { transA: !transA, transB, alpha });
    if (swapsLastTwo(b)) return this.matmul(a, b.node!.inputs[0]!, { transA, transB: !transB, alpha });
    for (const [first, second] of [
      [scaled(a), { of: b, by: 1 }],
      [{ of: a, by: 1 }, scaled(b)],
    ])
      if (first && second)
        return this.matmul(first.of, second.of, { transA, transB, alpha: alpha * first.by * second.by });
    const shape = matmulShape(a.shape, b.shape, transA, transB);
    const attributes = { transA: int(Number(transA)), transB: int(Number(transB)), alpha: float(alpha) };
    // The other operand of a single matrix may have any number of leading axes.
    const rows = beforeMatmul(a, b, transA ? 2 : 1);
    const columns = rows === a ? beforeMatmul(b, a, 2) : b;
    const result = matmulShape(rows.shape, columns.shape, transA, transB);
    const product = this.target.fusedMatMul
      ? this.op('FusedMatMul', [rows, columns], result, attributes, { domain: 'com.microsoft' })
      : this.#plainMatmul(rows, columns, result, { transA, transB, alpha });
    return this.reshape(product, shape);
  }

  /** The same product of ONNX's own operators. */
  #plainMatmul(
    a: Value,
    b: Value,
    shape: Shape,
    { transA, transB, alpha }: { transA: boolean; transB: boolean; alpha: number },
  ): Value {
    const [left, right] = [transA ? this.#swapped(a) : a, transB ? this.#swapped(b) : b];
    const product = this.op('MatMul', [left, right], shape);
    return this.binary('Mul', product, this.splat(alpha, []));
  }

  #swapped(x: Value): Value {
    const axes = x.shape.map((_, axis) => axis);
    return this.transpose(x, [...axes.slice(0, -2), axes.length - 1, axes.length - 2]);
  }

  /** The logarithm of softmax along an axis. */
  logSoftmax(x: Value, axis: number): Value {
    if (this.target.logSoftmax)
      return axis === x.shape.length - 1
        ? this.rowwise('LogSoftmax', x)
        : this.op('LogSoftmax', [x], x.shape, { axis: int(axis) });
    const shifted = this.binary('Sub', x, this.reduce('Max', x, [axis], true));
    const sum = this.reduce('Sum', this.unary('Exp', shifted, Math.exp), [axis], true);
    return this.binary('Sub', shifted, this.unary('Log', sum, Math.log));
  }

  /** Sum, mean, maximum, ... over `axes`; keeps the reduced axes as 1 if `keep`. */
  reduce(
    name: 'Sum' | 'Mean' | 'Max' | 'Min' | 'Prod',
    x: Value,
    axes: readonly number[],
    keep: boolean,
  ): Value {
    const kept = keptShape(x.shape, axes);
    const shape = keep ? kept : x.shape.filter((_, axis) => !axes.includes(axis));
    const real = axes.filter((axis) => x.shape[axis] !== 1);
    if (real.length === 0) return this.reshape(x, shape);
    const splat = splatOf(x);
    const count = real.reduce((product, axis) => product * x.shape[axis], 1);
    if (splat !== undefined && name !== 'Prod')
      return this.splat(name === 'Sum' ? splat * count : splat, shape, x.dtype);
    const source = sourceOf(x);
    const before = source && axesBeforeReshape(source.shape, x.shape, axes);
    if (before) {
      const exact = axesLeaving(source.shape, before, shape);
      const keeps = !exact && (keep || sameShape(keptShape(source.shape, before), shape));
      return this.reshape(this.reduce(name, source, exact ?? before, keeps), shape);
    }
    return this.op(`Reduce${name}`, [x, this.int64(axes)], shape, { keepdims: int(Number(keep)) });
  }

  concat(parts: readonly Value[], axis: number): Value {
    if (parts.length === 1) return parts[0];
    const shape = parts[0].shape.map((n, i) =>
      i === axis ? parts.reduce((sum, part) => sum + part.shape[i], 0) : n,
    );
    const splats = new Set(parts.map(splatOf));
    if (splats.size === 1 && !splats.has(undefined))
      return this.splat([...splats][0]!, shape, parts[0].dtype);
    return this.op('Concat', parts, shape, { axis: int(axis) });
  }

  split(x: Value, sizes: readonly number[], axis: number): Value[] {
    if (sizes.length === 1) return [x];
    const shapes = sizes.map((size) => x.shape.map((n, i) => (i === axis ? size : n)));
    const splat = splatOf(x);
    if (splat !== undefined) return shapes.map((shape) => this.splat(splat, shape, x.dtype));
    const outputs = shapes.map((shape) => ({ dtype: x.dtype, shape }));
    return this.graph.emit('Split', [x, this.int64(sizes)], { axis: int(axis) }, outputs);
  }

  slice(x: Value, begin: readonly number[], end: readonly number[], steps?: readonly number[]): Value {
    const shape = begin.map((b, i) => Math.max(0, Math.ceil((end[i] - b) / (steps?.[i] ?? 1))));
    if (sameShape(shape, x.shape) && !steps?.some((step) => step !== 1)) return x;
    const splat = splatOf(x);
    if (splat !== undefined) return this.splat(splat, shape, x.dtype);
    const axes = begin
      .map((_, i) => i)
      .filter((i) => begin[i] !== 0 || end[i] !== x.shape[i] || (steps?.[i] ?? 1) !== 1);
    const pick = (values: readonly number[]) => this.int64(axes.map((i) => values[i]));
    const inputs = [x, pick(begin), pick(end), this.int64(axes)];
    if (steps) inputs.push(pick(steps));
    return this.op('Slice', inputs, shape);
  }

  pad(x: Value, paddings: readonly (readonly [number, number])[], value: number): Value {
    if (paddings.every(([before, after]) => before === 0 && after === 0)) return x;
    const shape = x.shape.map((n, i) => n + paddings[i][0] + paddings[i][1]);
    if (splatOf(x) === value) return this.splat(value, shape, x.dtype);
    const amounts = this.int64([
      ...paddings.map(([before]) => before),
      ...paddings.map(([, after]) => after),
    ]);
    return this.op('Pad', [x, amounts, this.splat(value, [], x.dtype)], shape);
  }

  gather(x: Value, indices: Value, axis: number): Value {
    const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
    return this.op('Gather', [x, indices], shape, { axis: int(axis) });
  }
}
