// Translates a recorded function of vectors into a WebAssembly module with one loop: it loads each vector's numbers once,
// four at a time, computes everything in registers, and stores the new ones. Only operators that work number by number
// can be translated, and only those that WebAssembly computes exactly: each result is the one that IEEE 754 prescribes, so
// it is the same on every machine, and the same as onnxruntime's.
//
// Scalars are loaded, and what depends on them alone is computed, before the loop.
import { WasmModule, type Declare, type Local } from '../../../modules/support/wasm/module.js';
import {
  f32x4,
  f64Lane,
  i32,
  load,
  op,
  repeatWhile,
  store,
  type Expression,
  type Instruction,
  type Statement,
} from '../../../modules/support/wasm/instructions.js';
import { sameShape, sizeOf, type Graph, type Node, type Value } from '../graph/ir.js';
import type { Vector } from '../../../modules/support/wasm/vector.js';

/** Numbers that one turn of the loop over a vector may take: vectors are padded to a multiple of it. */
export const STRIDE = 16;

/** Four numbers each: together a line of the cache. More loads under way hide more of the memory's delay. */
const UNROLL = 4;

const binary =
  (name: Instruction & `f32x4.${'add' | 'sub' | 'mul' | 'div' | 'max' | 'min' | Comparison}`) =>
  (a: Vector, b: Vector): Vector =>
    op(name, a, b);
const unary =
  (name: Instruction & `f32x4.${'neg' | 'abs' | 'sqrt' | 'ceil' | 'floor' | 'nearest'}`) =>
  (x: Vector): Vector =>
    op(name, x);
type Comparison = 'eq' | 'gt' | 'ge' | 'lt' | 'le';

/** ONNX operators; those on bool work on masks: ones in all bits of a number, or zeros. */
const OPERATORS: Record<string, (...operands: Vector[]) => Vector> = {
  Add: binary('f32x4.add'),
  Sub: binary('f32x4.sub'),
  Mul: binary('f32x4.mul'),
  Div: binary('f32x4.div'),
  Max: binary('f32x4.max'),
  Min: binary('f32x4.min'),
  Neg: unary('f32x4.neg'),
  Abs: unary('f32x4.abs'),
  Sqrt: unary('f32x4.sqrt'),
  Ceil: unary('f32x4.ceil'),
  Floor: unary('f32x4.floor'),
  Round: unary('f32x4.nearest'),
  Reciprocal: (x) => op('f32x4.div', f32x4(1), x),
  Relu: (x) => op('f32x4.max', x, f32x4(0)),
  Clip: (x, low, high) => op('f32x4.min', op('f32x4.max', x, low), high),
  /** NaN stays NaN. */
  Sign(x) {
    const one = (condition: Vector) => op('v128.and', condition, f32x4(1));
    const sign = op('f32x4.sub', one(op('f32x4.gt', x, f32x4(0))), one(op('f32x4.lt', x, f32x4(0))));
    return op('v128.bitselect', x, sign, op('f32x4.ne', x, x));
  },
  Equal: binary('f32x4.eq'),
  Greater: binary('f32x4.gt'),
  GreaterOrEqual: binary('f32x4.ge'),
  Less: binary('f32x4.lt'),
  LessOrEqual: binary('f32x4.le'),
  IsNaN: (x) => op('f32x4.ne', x, x),
  Not: (x) => op('v128.not', x),
  And: (a, b) => op('v128.and', a, b),
  Or: (a, b) => op('v128.or', a, b),
  Xor: (a, b) => op('v128.xor', a, b),
  Where: (condition, a, b) => op('v128.bitselect', a, b, condition),
  // Every value stands for four numbers already.
  Expand: (x) => x,
  Reshape: (x) => x,
};

export interface Places {
  /** Numbers in a vector. */
  length: number;
  /** The address of an input or output that is a vector, in bytes. */
  vector(name: string): number;
  /** Where a scalar lies among those of a part, in bytes. */
  scalar(name: string): number;
  /** 64 KiB each. */
  pages: number;
}

/**
 * The module of `run(from, to, scalars)`, which updates the numbers between two offsets in bytes with the scalars at an
 * address, and `squares(from, to)`, the sum of squares between two addresses in double precision.
 * @returns undefined if an operator does not work number by number, or not exactly
 */
export function kernelOf(
  graph: Graph,
  outputs: ReadonlyMap<string, Value>,
  places: Places,
): WasmModule | undefined {
  const nodes = graph.reachable([...outputs.values()]);
  if (!nodes.every((node) => isTranslatable(node, places.length))) return undefined;
  const module = new WasmModule(places.pages);
  module.define('run', ['i32', 'i32', 'i32'], (declare, at, to, scalars) => {
    const [before, inside] = bodies(graph, nodes, declare, at.get(), scalars.get(), places);
    const turns = Array.from({ length: UNROLL }, (_, i) => {
      const body = inside(16 * i);
      const stores = [...outputs].map(([name, value]) =>
        store(at.get(), body.of(value), places.vector(name) + 16 * i),
      );
      return [...body.statements, ...stores];
    });
    const next = at.set(op('i32.add', at.get(), i32(16 * UNROLL)));
    return [...before.statements, repeatWhile([...turns.flat(), next], op('i32.lt_u', at.get(), to.get()))];
  });
  defineSquares(module);
  return module;
}

function isTranslatable({ op: name, inputs, outputs: [result] }: Node, length: number): boolean {
  const [x] = inputs;
  const isNumeric = ({ dtype }: Value) => dtype === 'float32' || dtype === 'bool';
  const isFlat = ({ shape }: Value) => sizeOf(shape) === 1 || sameShape(shape, [length]);
  if (!isNumeric(result) || !isFlat(result)) return false;
  if (name === 'Cast') return isNumeric(x!);
  if (!(name in OPERATORS)) return false;
  // The second input of these two is a shape.
  const operands = name === 'Expand' || name === 'Reshape' ? [x] : inputs;
  return operands.every(
    (operand) =>
      operand && isNumeric(operand) && isFlat(operand) && (!operand.constant || 'splat' in operand.constant),
  );
}

/** Statements that compute values into variables. */
class Body {
  readonly statements: Statement[] = [];
  readonly #variables = new Map<Value, Local<'v128'>>();

  constructor(
    readonly declare: Declare,
    readonly outer?: Body,
  ) {}

  compute(value: Value, result: Vector): void {
    const variable = this.declare('v128');
    this.#variables.set(value, variable);
    this.statements.push(variable.set(result));
  }

  of(value: Value): Vector {
    if (value.constant) return f32x4((value.constant as { splat: number }).splat);
    return this.#variables.get(value)?.get() ?? this.outer!.of(value);
  }

  has(value: Value): boolean {
    return value.constant !== undefined || this.#variables.has(value);
  }
}

/** What is computed before the loop, and in it. */
function bodies(
  graph: Graph,
  nodes: readonly Node[],
  declare: Declare,
  at: Expression<'i32'>,
  scalars: Expression<'i32'>,
  places: Places,
): [Body, (offset: number) => Body] {
  const isVector = ({ shape }: Value) => sameShape(shape, [places.length]);
  const operandsOf = ({ inputs }: Node) =>
    inputs.filter((input) => input !== null && input.dtype !== 'int64') as Value[];
  const compute = (node: Node, body: Body) => {
    const operands = operandsOf(node);
    const values = operands.map((value) => body.of(value));
    body.compute(node.outputs[0], resultOf(node, operands, values));
  };
  const before = new Body(declare);
  for (const value of graph.inputs)
    if (!isVector(value))
      before.compute(value, load('v128.load32_splat', scalars, places.scalar(value.input!)));
  const left = nodes.filter((node) => {
    const ready = operandsOf(node).every((value) => before.has(value));
    if (ready) compute(node, before);
    return !ready;
  });
  return [
    before,
    (offset) => {
      const inside = new Body(declare, before);
      for (const value of graph.inputs)
        if (isVector(value))
          inside.compute(value, load('v128.load', at, places.vector(value.input!) + offset));
      for (const node of left) compute(node, inside);
      return inside;
    },
  ];
}

function resultOf(
  { op: name, outputs: [{ dtype }] }: Node,
  [x]: readonly Value[],
  operands: Vector[],
): Vector {
  if (name !== 'Cast') return OPERATORS[name](...operands);
  if (x.dtype === dtype) return operands[0];
  return dtype === 'bool' ? op('f32x4.ne', operands[0], f32x4(0)) : op('v128.and', operands[0], f32x4(1));
}

/** Four sums of two numbers each, so that additions need not wait for each other. */
function defineSquares(module: WasmModule): void {
  module.define('squares', ['i32', 'i32'], (declare, at, to) => {
    const sums = Array.from({ length: 4 }, () => declare('v128'));
    const x = declare('v128');
    const body = Array.from({ length: STRIDE / 2 }, (_, i) => {
      const sum = sums[i % sums.length];
      return [
        x.set(op('f64x2.promote_low_f32x4', load('v128.load64_zero', at.get(), 8 * i))),
        sum.set(op('f64x2.add', sum.get(), op('f64x2.mul', x.get(), x.get()))),
      ];
    }).flat();
    const next = at.set(op('i32.add', at.get(), i32(4 * STRIDE)));
    const [a, b, c, d] = sums.map((sum) => sum.get());
    const pair = op('f64x2.add', op('f64x2.add', a, b), op('f64x2.add', c, d));
    return [
      repeatWhile([...body, next], op('i32.lt_u', at.get(), to.get())),
      op('f64.add', f64Lane(pair, 0), f64Lane(pair, 1)),
    ];
  });
}
