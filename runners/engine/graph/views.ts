// Moves reshapes behind the operators that follow them. A layer that treats a map as rows of channels reshapes it,
// computes, and reshapes the result back. If an operator gives the same numbers in the same order on the unreshaped
// map, it is applied to that map. The reshape then follows it, meets its inverse, and both disappear.
import { broadcast } from './broadcast.js';
import { sameShape, sizeOf, type Shape, type Value } from './ir.js';

/** What a reshape reads; undefined for anything else. */
export function sourceOf(x: Value): Value | undefined {
  return x.node?.op === 'Reshape' ? x.node.inputs[0]! : undefined;
}

/**
 * Outputs without the reshape that they end with. What is written into an array is the same numbers either way.
 * @returns name -> value, whose shape may be another
 */
export function unshaped(outputs: ReadonlyMap<string, Value>): Map<string, Value> {
  return new Map(
    [...outputs].map(([name, value]) => {
      const source = sourceOf(value);
      return [name, source?.node ? source : value];
    }),
  );
}

/** The value before a reshape that left its last `count` axes as they are; otherwise `x` itself. */
export function beforeReshape(x: Value, count: number): Value {
  const source = sourceOf(x);
  return source && sameTrailing(source.shape, x.shape, count) ? source : x;
}

/** Operands of elementwise arithmetic before one or both were reshaped; undefined where the result would differ. */
export function operandsBeforeReshape(a: Value, b: Value): [Value, Value] | undefined {
  const [x, y] = [sourceOf(a), sourceOf(b)];
  const size = sizeOf(broadcast(a.shape, b.shape));
  const [wholeA, wholeB] = [a, b].map(({ shape }) => sizeOf(shape) === size);
  if (x && y && wholeA && wholeB && sameShape(x.shape, y.shape)) return [x, y];
  if (x && wholeA && meetsTrailing(b.shape, x.shape, a.shape)) return [x, b];
  if (y && wholeB && meetsTrailing(a.shape, y.shape, b.shape)) return [a, y];
  return undefined;
}

/** Whether `operand` extends only along innermost axes that `source` and the view of it have in common. */
function meetsTrailing(operand: Shape, source: Shape, view: Shape): boolean {
  const first = operand.findIndex((n) => n !== 1);
  const extent = first < 0 ? 0 : operand.length - first;
  return operand.length <= source.length && sameTrailing(source, view, extent);
}

function sameTrailing(a: Shape, b: Shape, count: number): boolean {
  return (
    a.length >= count && b.length >= count && sameShape(a.slice(a.length - count), b.slice(b.length - count))
  );
}

/**
 * The axes of `source` that hold what `axes` of a view of it hold; undefined where some of them are split between
 * axes of the view that are meant and others that are not.
 */
export function axesBeforeReshape(source: Shape, view: Shape, axes: readonly number[]): number[] | undefined {
  const found: number[] = [];
  let [i, j] = [0, 0];
  // Runs of axes, as short as possible, that hold the same numbers on both sides.
  while (i < source.length || j < view.length) {
    const [from, start] = [i, j];
    let [own, seen] = [source[i++] ?? 1, view[j++] ?? 1];
    while (own !== seen) {
      if (own < seen) own *= source[i++];
      else seen *= view[j++];
    }
    const run = Array.from({ length: Math.min(j, view.length) - start }, (_, k) => start + k);
    const meant = run.filter((axis) => view[axis] !== 1);
    const chosen = meant.filter((axis) => axes.includes(axis));
    if (chosen.length === 0) continue;
    if (chosen.length < meant.length) return undefined;
    for (let axis = from; axis < i; axis++) if ((source[axis] ?? 1) !== 1) found.push(axis);
  }
  return found;
}

/** `axes` and as many axes of one element as have to go with them for `shape` to be left; undefined where none do. */
export function axesLeaving(source: Shape, axes: readonly number[], shape: Shape): number[] | undefined {
  const all = [...axes];
  let matched = 0;
  for (const [axis, n] of source.entries()) {
    if (axes.includes(axis)) continue;
    if (n === shape[matched]) matched++;
    else if (n === 1) all.push(axis);
    else return undefined;
  }
  return matched === shape.length ? all : undefined;
}

/** The shape after a reduction that keeps its axes with extent 1. */
export function keptShape(shape: Shape, axes: readonly number[]): number[] {
  return shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
}
