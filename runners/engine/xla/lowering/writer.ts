// Writes StableHLO text, one operation a line. Every method appends the operations it needs and returns the name of
// the result.
import { MtcpError } from '../../../../registry/errors.js';
import { sameShape, sizeOf, type DType, type Shape, type Value } from '../../graph/ir.js';
import type { Elements } from '../client.js';

const TYPE: Readonly<Record<DType, string>> = { float32: 'f32', int32: 'i32', int64: 'i64', bool: 'i1' };

/** Elements up to which a constant is written into the text; larger ones become parameters, uploaded once. */
const INLINE = 256;

/** A result in the text, with its type. */
export interface Named {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
}

/** A result in a lower precision than its own, with its type as text. */
interface Operand {
  readonly name: string;
  readonly type: string;
}

/** What the program is handed, in order: inputs by name, and constants that are too large for text. */
export interface Parameter {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly input?: string;
  readonly constant?: Elements;
}

/**
 * What products and convolutions compute in; their sums are float32, and so is everything else.
 * float32: as it is. tf32: 10 bits of mantissa, where the device has it. bfloat16: operands are rounded to it, and so are
 * the results of convolutions.
 */
export type Precision = 'float32' | 'tf32' | 'bfloat16';

export type Direction = 'EQ' | 'NE' | 'GT' | 'GE' | 'LT' | 'LE';
export type ReduceName = 'add' | 'maximum' | 'minimum' | 'multiply';

/** @example tensor<2x3xf32> */
export const typeText = (dtype: DType, shape: Shape): string =>
  `tensor<${[...shape, TYPE[dtype]].join('x')}>`;

const typeOf = ({ dtype, shape }: { dtype: DType; shape: Shape }): string => typeText(dtype, shape);

export class Writer {
  readonly lines: string[] = [];
  readonly parameters: Parameter[] = [];
  readonly #values = new Map<Value, Named>();
  readonly #scalars = new Map<string, Named>();
  #next = 0;

  /** @param given values that come from outside although they have a node, with their names */
  constructor(
    readonly given: ReadonlyMap<Value, string> = new Map(),
    readonly precision: Precision = 'float32',
  ) {}

  /** Appends `name = text : signature`. */
  emit(text: string, dtype: DType, shape: Shape): Named {
    const name = `%v${this.#next++}`;
    this.lines.push(`${name} = ${text}`);
    return { name, dtype, shape };
  }

  define(value: Value, result: Named): void {
    this.#values.set(value, result);
  }

  /** The result of a value of the graph: computed before, a constant, or a parameter. */
  of(value: Value): Named {
    let known = this.#values.get(value);
    if (!known) this.#values.set(value, (known = this.#outside(value)));
    return known;
  }

  #outside(value: Value): Named {
    const { dtype, shape, constant } = value;
    const input = this.given.get(value) ?? value.input;
    if (constant === undefined) {
      if (input === undefined) throw new Error('a value is used before it is computed');
      return this.#parameter({ dtype, shape, input });
    }
    if ('splat' in constant) return this.fill(constant.splat, dtype, shape);
    if (constant.data.length > INLINE && dtype !== 'bool')
      return this.#parameter({ dtype, shape, constant: constant.data });
    const text =
      dtype === 'bool'
        ? nested(
            Array.from(constant.data as ArrayLike<number>, (x) => (x ? 'true' : 'false')),
            shape,
          )
        : `"0x${Buffer.from(constant.data.buffer, constant.data.byteOffset, constant.data.byteLength).toString('hex').toUpperCase()}"`;
    return this.emit(`stablehlo.constant dense<${text}> : ${typeOf(value)}`, dtype, shape);
  }

  #parameter(parameter: Parameter): Named {
    const name = `%arg${this.parameters.length}`;
    this.parameters.push(parameter);
    return { name, dtype: parameter.dtype, shape: parameter.shape };
  }

  scalar(x: number, dtype: DType): Named {
    const text = literal(x, dtype);
    const key = `${dtype} ${text}`;
    let known = this.#scalars.get(key);
    if (!known)
      this.#scalars.set(
        key,
        (known = this.emit(`stablehlo.constant dense<${text}> : ${typeText(dtype, [])}`, dtype, [])),
      );
    return known;
  }

  fill(x: number, dtype: DType, shape: Shape): Named {
    const scalar = this.scalar(x, dtype);
    return shape.length === 0 ? scalar : this.broadcastInDim(scalar, shape, []);
  }

  /** @param dimensions of the result that the axes of `x` become */
  broadcastInDim(x: Named, shape: Shape, dimensions: readonly number[]): Named {
    const text = `stablehlo.broadcast_in_dim ${x.name}, dims = [${dimensions.join(', ')}]`;
    return this.emit(`${text} : (${typeOf(x)}) -> ${typeText(x.dtype, shape)}`, x.dtype, shape);
  }

  reshape(x: Named, shape: Shape): Named {
    if (sameShape(x.shape, shape)) return x;
    return this.emit(
      `stablehlo.reshape ${x.name} : (${typeOf(x)}) -> ${typeText(x.dtype, shape)}`,
      x.dtype,
      shape,
    );
  }

  /** `x` at `shape` by the rules of NumPy. */
  expand(x: Named, shape: Shape): Named {
    if (sameShape(x.shape, shape)) return x;
    const offset = shape.length - x.shape.length;
    const kept = x.shape.flatMap((n, axis) => (n === shape[axis + offset] ? axis : []));
    const narrow = this.reshape(
      x,
      kept.map((axis) => x.shape[axis]),
    );
    return this.broadcastInDim(
      narrow,
      shape,
      kept.map((axis) => axis + offset),
    );
  }

  transpose(x: Named, permutation: readonly number[]): Named {
    if (permutation.every((axis, i) => axis === i)) return x;
    const shape = permutation.map((axis) => x.shape[axis]);
    const text = `stablehlo.transpose ${x.name}, dims = [${permutation.join(', ')}]`;
    return this.emit(`${text} : (${typeOf(x)}) -> ${typeText(x.dtype, shape)}`, x.dtype, shape);
  }

  /** An operation of one operand that keeps its type. */
  unary(op: string, x: Named): Named {
    return this.emit(`stablehlo.${op} ${x.name} : ${typeOf(x)}`, x.dtype, x.shape);
  }

  /** An operation of two operands of one type and shape. */
  binary(op: string, a: Named, b: Named): Named {
    return this.emit(`stablehlo.${op} ${a.name}, ${b.name} : ${typeOf(a)}`, a.dtype, a.shape);
  }

  /** The same with a number instead of the second operand. */
  with(op: string, a: Named, number: number): Named {
    return this.binary(op, a, this.fill(number, a.dtype, a.shape));
  }

  /** An operation of the dialect chlo, which XLA knows how to compute from others. */
  chlo(op: string, x: Named): Named {
    return this.emit(`chlo.${op} ${x.name} : ${typeOf(x)} -> ${typeOf(x)}`, x.dtype, x.shape);
  }

  compare(direction: Direction, a: Named, b: Named): Named {
    const kind = a.dtype === 'float32' ? 'FLOAT' : a.dtype === 'bool' ? 'UNSIGNED' : 'SIGNED';
    const type = typeOf(a);
    const text = `stablehlo.compare ${direction}, ${a.name}, ${b.name}, ${kind}`;
    return this.emit(`${text} : (${type}, ${type}) -> ${typeText('bool', a.shape)}`, 'bool', a.shape);
  }

  select(condition: Named, a: Named, b: Named): Named {
    const text = `stablehlo.select ${condition.name}, ${a.name}, ${b.name}`;
    return this.emit(`${text} : ${typeOf(condition)}, ${typeOf(a)}`, a.dtype, a.shape);
  }

  convert(x: Named, dtype: DType): Named {
    if (x.dtype === dtype) return x;
    if (dtype === 'bool') return this.compare('NE', x, this.fill(0, x.dtype, x.shape));
    return this.emit(
      `stablehlo.convert ${x.name} : (${typeOf(x)}) -> ${typeText(dtype, x.shape)}`,
      dtype,
      x.shape,
    );
  }

  iota(axis: number, dtype: DType, shape: Shape): Named {
    return this.emit(`stablehlo.iota dim = ${axis} : ${typeText(dtype, shape)}`, dtype, shape);
  }

  reverse(x: Named, axes: readonly number[]): Named {
    return this.emit(
      `stablehlo.reverse ${x.name}, dims = [${axes.join(', ')}] : ${typeOf(x)}`,
      x.dtype,
      x.shape,
    );
  }

  /** The reduced axes are gone. */
  reduce(op: ReduceName, x: Named, axes: readonly number[], initial: number): Named {
    const shape = x.shape.filter((_, axis) => !axes.includes(axis));
    const start = this.scalar(initial, x.dtype);
    const text = `stablehlo.reduce(${x.name} init: ${start.name}) applies stablehlo.${op} across dimensions = [${axes.join(', ')}]`;
    const types = `(${typeOf(x)}, ${typeText(x.dtype, [])}) -> ${typeText(x.dtype, shape)}`;
    return this.emit(`${text} : ${types}`, x.dtype, shape);
  }

  /** `keys` in order along an axis, and `values` in the order of the keys; equal keys stay as they are. */
  sort(keys: Named, values: Named, axis: number, direction: Direction): [Named, Named] {
    const name = `%v${this.#next++}`;
    const types = [keys, values].map(typeOf);
    const [key, value] = [keys, values].map(({ dtype }) => typeText(dtype, []));
    const kind = keys.dtype === 'float32' ? 'FLOAT' : 'SIGNED';
    const block = `^bb0(%a: ${key}, %b: ${key}, %c: ${value}, %d: ${value}):`;
    const compare = `%s = stablehlo.compare ${direction}, %a, %b, ${kind} : (${key}, ${key}) -> tensor<i1>`;
    const body = `({\n${block}\n ${compare}\n stablehlo.return %s : tensor<i1>\n})`;
    const operation = `"stablehlo.sort"(${keys.name}, ${values.name}) <{dimension = ${axis} : i64, is_stable = true}> ${body}`;
    this.lines.push(`${name}:2 = ${operation} : (${types.join(', ')}) -> (${types.join(', ')})`);
    return [
      { ...keys, name: `${name}#0` },
      { ...values, name: `${name}#1` },
    ];
  }

  /** Begin, end and step of each axis. */
  slice(x: Named, ranges: readonly (readonly [number, number, number])[]): Named {
    if (ranges.every(([begin, end, step], axis) => begin === 0 && end === x.shape[axis] && step === 1))
      return x;
    const shape = ranges.map(([begin, end, step]) => Math.max(0, Math.ceil((end - begin) / step)));
    const text = ranges.map(([begin, end, step]) =>
      step === 1 ? `${begin}:${end}` : `${begin}:${end}:${step}`,
    );
    return this.emit(
      `stablehlo.slice ${x.name} [${text.join(', ')}] : (${typeOf(x)}) -> ${typeText(x.dtype, shape)}`,
      x.dtype,
      shape,
    );
  }

  concatenate(parts: readonly Named[], axis: number, shape: Shape): Named {
    const [{ dtype }] = parts;
    const text = `stablehlo.concatenate ${parts.map(({ name }) => name).join(', ')}, dim = ${axis}`;
    return this.emit(
      `${text} : (${parts.map(typeOf).join(', ')}) -> ${typeText(dtype, shape)}`,
      dtype,
      shape,
    );
  }

  /** @param value a scalar that fills what is added before and after each axis */
  pad(x: Named, value: Named, before: readonly number[], after: readonly number[], shape: Shape): Named {
    const inside = x.shape.map(() => 0);
    const text = `stablehlo.pad ${x.name}, ${value.name}, low = [${before.join(', ')}], high = [${after.join(', ')}], interior = [${inside.join(', ')}]`;
    return this.emit(
      `${text} : (${typeOf(x)}, ${typeText(x.dtype, [])}) -> ${typeText(x.dtype, shape)}`,
      x.dtype,
      shape,
    );
  }

  /** Keeps XLA from computing `x` a second time in another fusion, where it may round otherwise. */
  barrier(x: Named): Named {
    return this.emit(`stablehlo.optimization_barrier ${x.name} : ${typeOf(x)}`, x.dtype, x.shape);
  }

  /** A filter, in some precision, by half a turn of its spatial axes, which are the last two. */
  turned({ name, type }: Operand, { dtype, shape }: Named): Operand {
    return { name: this.emit(`stablehlo.reverse ${name}, dims = [2, 3] : ${type}`, dtype, shape).name, type };
  }

  /** Operands of a product in its precision, with their types. */
  operands(operands: readonly Named[], precision: Precision): Operand[] {
    return operands.map((operand) => {
      const type = typeOf(operand);
      if (precision !== 'bfloat16') return { name: operand.name, type };
      const rounded = lowered(type);
      const text = `stablehlo.convert ${operand.name} : (${type}) -> ${rounded}`;
      return { name: this.emit(text, operand.dtype, operand.shape).name, type: rounded };
    });
  }

  /**
   * A convolution of such operands, in float32. XLA's GPU compiler has no convolution whose operands are of another type
   * than its result: it would take the rounding of the operands away and convolve float32. So the result is rounded, too.
   */
  convolved(text: string, operands: readonly { type: string }[], shape: Shape): Named {
    const type = typeText('float32', shape);
    const types = operands.map((operand) => operand.type);
    if (!types.some((operand) => operand.endsWith(LOW)))
      return this.emit(`${text} : (${types.join(', ')}) -> ${type}`, 'float32', shape);
    const rounded = lowered(type);
    const result = this.emit(`${text} : (${types.join(', ')}) -> ${rounded}`, 'float32', shape);
    return this.emit(`stablehlo.convert ${result.name} : (${rounded}) -> ${type}`, 'float32', shape);
  }

  dot(
    a: Named,
    b: Named,
    batching: readonly [number[], number[]],
    contracting: readonly [number[], number[]],
    precision = this.precision,
  ): Named {
    const free = (x: Named, side: 0 | 1) =>
      x.shape.filter((_, axis) => !batching[side].includes(axis) && !contracting[side].includes(axis));
    const shape = [...batching[0].map((axis) => a.shape[axis]), ...free(a, 0), ...free(b, 1)];
    const lists = (pair: readonly [number[], number[]]) =>
      `[${pair[0].join(', ')}] x [${pair[1].join(', ')}]`;
    const batches = batching[0].length > 0 ? `batching_dims = ${lists(batching)}, ` : '';
    const [x, y] = this.operands([a, b], precision);
    const level = LEVELS[precision];
    const text = `stablehlo.dot_general ${x.name}, ${y.name}, ${batches}contracting_dims = ${lists(contracting)}, precision = [${level}, ${level}]`;
    return this.emit(`${text} : (${x.type}, ${y.type}) -> ${typeText('float32', shape)}`, 'float32', shape);
  }
}

const LOW = 'bf16>';
const lowered = (type: string): string => type.replace('f32>', LOW);

/** XLA's names: what it may take away from the precision of the operands. */
export const LEVELS: Readonly<Record<Precision, string>> = {
  float32: 'HIGHEST',
  tf32: 'DEFAULT',
  bfloat16: 'DEFAULT',
};

/** Elements of a constant list of integers: axes, sizes, bounds. */
export function integersOf(value: Value | null | undefined, what: string): number[] {
  if (!value?.constant) throw new MtcpError('engine', `${what} must be known when the graph is compiled`);
  const { constant, shape } = value;
  return 'splat' in constant
    ? new Array<number>(sizeOf(shape)).fill(constant.splat)
    : Array.from(constant.data as ArrayLike<number | bigint>, Number);
}

function literal(x: number, dtype: DType): string {
  if (dtype === 'bool') return x ? 'true' : 'false';
  if (dtype !== 'float32') return String(Math.trunc(x));
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, x);
  return `0x${view.getUint32(0).toString(16).toUpperCase().padStart(8, '0')}`;
}

function nested(elements: readonly string[], shape: Shape): string {
  if (shape.length === 0) return elements[0];
  const [count, ...rest] = shape;
  const each = elements.length / count;
  const parts = Array.from({ length: count }, (_, i) =>
    nested(elements.slice(i * each, (i + 1) * each), rest),
  );
  return `[${parts.join(', ')}]`;
}
