// Operators that move elements without computing.
import { sizeOf } from '../../graph/ir.js';
import { MtcpError } from '../../../../registry/errors.js';
import { lowering } from './lowering.js';
import { integersOf } from './writer.js';

lowering('Reshape', (o, w) => w.reshape(o.arg(0), o.out.shape));
lowering('Expand', (o, w) => w.expand(o.arg(0), o.out.shape));
lowering('Transpose', (o, w) => w.transpose(o.arg(0), o.ints('perm')));
lowering('ConstantOfShape', (o, w) => w.fill(0, o.out.dtype, o.out.shape));

lowering('Tile', (o, w) => {
  const { shape } = o.inputs[0]!;
  const repeats = integersOf(o.inputs[1], 'how often Tile repeats');
  const apart = shape.flatMap((n, axis) => [repeats[axis], n]);
  const repeated = w.broadcastInDim(
    o.arg(0),
    apart,
    shape.map((_, axis) => 2 * axis + 1),
  );
  return w.reshape(repeated, o.out.shape);
});

lowering('Concat', (o, w) => {
  const parts = o.inputs.flatMap((value, i) => (sizeOf(value!.shape) > 0 ? o.arg(i) : []));
  if (parts.length === 1) return parts[0];
  return w.concatenate(parts, o.axis('axis', o.out.shape.length, 0), o.out.shape);
});

lowering('Split', (o, w) => {
  const x = o.arg(0);
  const axis = o.axis('axis', x.shape.length, 0);
  let start = 0;
  for (const output of o.node.outputs) {
    const end = start + output.shape[axis];
    const ranges = x.shape.map((n, i): [number, number, number] =>
      i === axis ? [start, end, 1] : [0, n, 1],
    );
    w.define(output, w.slice(x, ranges));
    start = end;
  }
  return undefined;
});

lowering('Slice', (o, w) => {
  const { shape } = o.inputs[0]!;
  const begin = integersOf(o.inputs[1], 'where Slice begins');
  const end = integersOf(o.inputs[2], 'where Slice ends');
  const axes = o.has(3) ? integersOf(o.inputs[3], 'the axes of Slice') : begin.map((_, i) => i);
  const steps = o.has(4) ? integersOf(o.inputs[4], 'the steps of Slice') : begin.map(() => 1);
  const ranges = shape.map((n): [number, number, number] => [0, n, 1]);
  const reversed: number[] = [];
  const inside = (at: number, n: number) => Math.max(0, Math.min(n, at < 0 ? at + n : at));
  axes.forEach((axis, i) => {
    if (steps[i] > 0) ranges[axis] = [inside(begin[i], shape[axis]), inside(end[i], shape[axis]), steps[i]];
    // A whole axis backwards is the only negative step that recordings have.
    else if (steps[i] === -1 && o.out.shape[axis] === shape[axis]) reversed.push(axis);
    else throw new MtcpError('engine', `a slice with step ${steps[i]} cannot be compiled for XLA`);
  });
  const x = reversed.length > 0 ? w.reverse(o.arg(0), reversed) : o.arg(0);
  return w.slice(x, ranges);
});

lowering('Pad', (o, w) => {
  const amounts = integersOf(o.inputs[1], 'the amounts of Pad');
  const rank = o.inputs[0]!.shape.length;
  return w.pad(o.arg(0), o.arg(2), amounts.slice(0, rank), amounts.slice(rank), o.out.shape);
});
