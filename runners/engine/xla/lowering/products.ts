// Matrix products and convolutions.
import type { Shape } from '../../graph/ir.js';
import { lowering, type Operator } from './lowering.js';
import { LEVELS, type Named, type Precision, type Writer } from './writer.js';

lowering('FusedMatMul', (o, w) =>
  product(o, w, Boolean(o.int('transA')), Boolean(o.int('transB')), o.float('alpha', 1)),
);
lowering('MatMul', (o, w) => product(o, w, false, false, 1));

/** alpha * a b over the last two axes, which may be swapped; leading axes are broadcast. */
function product(o: Operator, w: Writer, swapA: boolean, swapB: boolean, alpha: number): Named {
  const [a, b] = [o.arg(0), o.arg(1)];
  // Constant matrices interpolate and look up, which is no arithmetic of the model's.
  const isTable = o.inputs.some((value) => value?.constant);
  const precision = isTable ? 'float32' : w.precision;
  const result = w.reshape(multiplied(w, a, b, swapA, swapB, o.out.shape, precision), o.out.shape);
  return alpha === 1 ? result : w.with('multiply', result, alpha);
}

/** Whether it is one matrix, whatever axes of extent 1 lead. */
const isOne = ({ shape }: Named): boolean => shape.slice(0, -2).every((n) => n === 1);

function multiplied(
  w: Writer,
  a: Named,
  b: Named,
  swapA: boolean,
  swapB: boolean,
  out: Shape,
  precision: Precision,
): Named {
  const innerOf = (rank: number, swapped: boolean, side: 'a' | 'b') =>
    (side === 'a') === swapped ? rank - 2 : rank - 1;
  if (isOne(b)) {
    const one = w.reshape(b, b.shape.slice(-2));
    return w.dot(
      a,
      one,
      [[], []],
      [[innerOf(a.shape.length, swapA, 'a')], [innerOf(2, swapB, 'b')]],
      precision,
    );
  }
  if (isOne(a)) {
    // The stack first, so that its axes lead; then rows and columns are swapped.
    const one = w.reshape(a, a.shape.slice(-2));
    const rank = b.shape.length;
    const swapped = w.dot(
      b,
      one,
      [[], []],
      [[innerOf(rank, swapB, 'b')], [innerOf(2, swapA, 'a')]],
      precision,
    );
    return w.transpose(
      swapped,
      [...swapped.shape.keys()].map((axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis)),
    );
  }
  const batch = out.slice(0, -2);
  const rank = batch.length + 2;
  const wide = (x: Named) => w.expand(x, [...batch, ...x.shape.slice(-2)]);
  const axes = [...batch.keys()];
  return w.dot(
    wide(a),
    wide(b),
    [axes, axes],
    [[innerOf(rank, swapA, 'a')], [innerOf(rank, swapB, 'b')]],
    precision,
  );
}

interface Window {
  strides: readonly number[];
  dilations: readonly number[];
  groups: number;
  /** Before the first and after the last of each spatial axis. */
  pads: readonly (readonly [number, number])[];
}

function windowOf(o: Operator): Window {
  const pads = o.ints('pads');
  return {
    strides: o.ints('strides').length > 0 ? o.ints('strides') : [1, 1],
    dilations: o.ints('dilations').length > 0 ? o.ints('dilations') : [1, 1],
    groups: o.int('group', 1),
    pads: [0, 1].map((axis) => [pads[axis] ?? 0, pads[axis + 2] ?? 0] as const),
  };
}

lowering('Conv', (o, w) => {
  const { strides, dilations, groups, pads } = windowOf(o);
  const result = convolution(w, o.arg(0), o.arg(1), 'o, i, 0, 1', o.out.shape, {
    window: `stride = [${strides.join(', ')}], pad = [${pairs(pads)}], rhs_dilate = [${dilations.join(', ')}]`,
    groups,
  });
  return o.has(2) ? w.binary('add', result, biasOf(o, w)) : result;
});

// Filters [channels in, channels out / groups, height, width], turned by half a turn over an input that is spread out.
lowering('ConvTranspose', (o, w) => {
  const { strides, dilations, groups, pads } = windowOf(o);
  const [x, filter] = [o.arg(0), o.arg(1)];
  const margins = [0, 1].map((axis): [number, number] => {
    const reach = dilations[axis] * (filter.shape[2 + axis] - 1);
    const before = reach - pads[axis][0];
    const spread = (x.shape[2 + axis] - 1) * strides[axis] + 1;
    return [before, o.out.shape[2 + axis] - spread - before + reach];
  });
  const [taps, order] = groups === 1 ? [filter, 'i, o, 0, 1'] : [joined(w, filter, groups), 'o, i, 0, 1'];
  const result = convolution(w, x, taps, order, o.out.shape, {
    window: `stride = [1, 1], pad = [${pairs(margins)}], lhs_dilate = [${strides.join(', ')}], rhs_dilate = [${dilations.join(', ')}]`,
    groups,
    isTurned: true,
  });
  return o.has(2) ? w.binary('add', result, biasOf(o, w)) : result;
});

/** Filters of groups as those of a convolution: [channels out, channels in / groups, height, width]. */
function joined(w: Writer, filter: Named, groups: number): Named {
  const [inputs, outputs, height, width] = filter.shape;
  const each = inputs / groups;
  const apart = w.transpose(w.reshape(filter, [groups, each, outputs, height, width]), [0, 2, 1, 3, 4]);
  return w.reshape(apart, [groups * outputs, each, height, width]);
}

function convolution(
  w: Writer,
  x: Named,
  filter: Named,
  order: string,
  shape: Shape,
  { window, groups, isTurned = false }: { window: string; groups: number; isTurned?: boolean },
): Named {
  const [image, given] = w.operands([x, filter], w.precision);
  // XLA tells the gradient of a convolution by its turned filter: nothing may stand between the two.
  const taps = isTurned ? w.turned(given, filter) : given;
  const level = `#stablehlo<precision ${LEVELS[w.precision]}>`;
  const text = `stablehlo.convolution(${image.name}, ${taps.name}) dim_numbers = [b, f, 0, 1]x[${order}]->[b, f, 0, 1], window = {${window}} {batch_group_count = 1 : i64, feature_group_count = ${groups} : i64, precision_config = [${level}, ${level}]}`;
  return w.convolved(text, [image, taps], shape);
}

/** One number for each channel, along all pixels. */
const biasOf = (o: Operator, w: Writer): Named => w.broadcastInDim(o.arg(2), o.out.shape, [1]);

const pairs = (list: readonly (readonly [number, number])[]): string =>
  list.map(([before, after]) => `[${before}, ${after}]`).join(', ');
