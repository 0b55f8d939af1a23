// The arithmetic cost of a graph, computed before it runs. For memory see lifetimes.ts.
import { sizeOf, type Node } from './ir.js';
import { isView } from './lifetimes.js';

/**
 * Floating-point operations of matrix products and convolutions, a multiply-add counting as two: what papers call
 * FLOPs. Everything else is bound by memory. Products with a constant matrix, which is how this engine resizes and
 * looks up, do not count.
 */
export function flopsOf(nodes: readonly Node[]): number {
  return nodes.reduce((sum, node) => sum + flopsOfNode(node), 0);
}

export function flopsOfNode(node: Node): number {
  if (node.flops !== undefined) return node.flops;
  return node.inputs.some((value) => value?.constant) ? 0 : multiplicationsOf(node);
}

/** Of a product or a convolution, whatever it stands for. */
function multiplicationsOf({ op, inputs, outputs, attributes }: Node): number {
  if (op === 'FusedMatMul' || op === 'MatMul') {
    const { shape } = inputs[0]!;
    const transposed = op === 'FusedMatMul' && 'int' in attributes.transA && attributes.transA.int === 1;
    return 2 * sizeOf(outputs[0].shape) * shape.at(transposed ? -2 : -1)!;
  }
  // Each output of a convolution is a product with a filter; of a transposed one, each input.
  if (op === 'Conv' || op === 'ConvTranspose') {
    const positions = op === 'Conv' ? outputs[0].shape : inputs[0]!.shape;
    return 2 * sizeOf(positions) * sizeOf(inputs[1]!.shape.slice(1));
  }
  return 0;
}

// In nanoseconds, measured on one core of 3 GHz.
/** Of having an operator at all. */
const OPERATOR = 2000;
/** Of an operation of a product; products of small graphs are thin. */
const OPERATION = 1 / 90;
/** Of a number that is read or written in order, */
const NUMBER = 0.08;
/** of one that is moved or added up, */
const MOVED = 0.16;
const MOVES = new Set(
  'Transpose Gather GatherND Split Slice Concat Pad Expand Tile ScatterND ScatterElements OneHot ReduceSum ReduceMean ReduceMax ReduceMin'.split(
    ' ',
  ),
);
/** and of one that a function is computed for. */
const FUNCTION = 0.2;
const FUNCTIONS = new Set(
  'Exp Log Erf Gelu Sigmoid Tanh Softmax LogSoftmax Pow LayerNormalization'.split(' '),
);

/** Seconds for one of each on one core of 3 GHz. */
export const USUAL: Readonly<Record<keyof Work, number>> = {
  operators: OPERATOR / 1e9,
  operations: OPERATION / 1e9,
  numbers: NUMBER / 1e9,
};

/** What a graph asks of a device, in the three things that take time. */
export interface Work {
  /** Operators, without those that only see the same numbers otherwise. */
  operators: number;
  /** Floating-point operations of products and convolutions, those with constant matrices among them. */
  operations: number;
  /** Numbers that are read or written; one that is moved or a function of counts as several. */
  numbers: number;
}

const NO_WORK: Work = { operators: 0, operations: 0, numbers: 0 };

export function workOf(nodes: readonly Node[]): Work {
  return nodes.reduce((sum, node) => (isView(node) ? sum : addWork(sum, workOfNode(node))), NO_WORK);
}

export const addWork = (a: Work, b: Work): Work => ({
  operators: a.operators + b.operators,
  operations: a.operations + b.operations,
  numbers: a.numbers + b.numbers,
});

function workOfNode(node: Node): Work {
  const numbers = [...node.inputs, ...node.outputs].reduce(
    (sum, value) => sum + (value ? sizeOf(value.shape) : 0),
    0,
  );
  const each = FUNCTIONS.has(node.op) ? FUNCTION : MOVES.has(node.op) ? MOVED : NUMBER;
  return { operators: 1, operations: multiplicationsOf(node), numbers: (numbers * each) / NUMBER };
}

/** About how long an operator takes on one core, in nanoseconds; good enough to divide work among threads. */
export function nanosecondsOf(node: Node): number {
  const { operators, operations, numbers } = workOfNode(node);
  return operators * OPERATOR + operations * OPERATION + numbers * NUMBER;
}
