// Values that maxima and minima are picked from. The gradient of an extremum looks for it among the values: it compares for
// equality. XLA may compute a value a second time inside another fusion, where it rounds otherwise, and the extremum would
// be found nowhere. So each of these values is computed once.
import type { Node, Value } from '../../graph/ir.js';

/** Operators that pick, besides Max and Min of two computed values; only their first operand holds numbers. */
const PICKING = new Set(['ReduceMax', 'ReduceMin', 'ArgMax', 'ArgMin', 'TopK']);
/** Operators that hand numbers on as they are. The pooling of a map is a maximum of slices of it. */
const MOVING = new Set(
  'Identity Reshape Expand Transpose Tile Concat Split Slice Pad Gather Max Min'.split(' '),
);

/** @returns values that nodes compute by arithmetic, and from which other nodes pick */
export function pickedFrom(nodes: Iterable<Node>): ReadonlySet<Value> {
  const found = new Set<Value>();
  const seen = new Set<Value>();
  const visit = (value: Value | null): void => {
    if (!value?.node || value.dtype !== 'float32' || seen.has(value)) return;
    seen.add(value);
    if (MOVING.has(value.node.op)) value.node.inputs.forEach(visit);
    else found.add(value);
  };
  for (const { op, inputs } of nodes)
    if (PICKING.has(op)) visit(inputs[0]);
    else if ((op === 'Max' || op === 'Min') && inputs.every((value) => value && !value.constant))
      inputs.forEach(visit);
  return found;
}
