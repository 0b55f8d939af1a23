// Operators that read or write by index.
import { MtcpError } from '../../../../registry/errors.js';
import { lowering } from './lowering.js';
import { typeText, type Named, type Writer } from './writer.js';

interface GatherDimensions {
  offset: readonly number[];
  collapsed: readonly number[];
  map: readonly number[];
  vector: number;
  sizes: readonly number[];
}

function gather(w: Writer, x: Named, indices: Named, shape: readonly number[], d: GatherDimensions): Named {
  const numbers = `offset_dims = [${d.offset.join(', ')}], collapsed_slice_dims = [${d.collapsed.join(', ')}], start_index_map = [${d.map.join(', ')}], index_vector_dim = ${d.vector}`;
  const attributes = `dimension_numbers = #stablehlo.gather<${numbers}>, indices_are_sorted = false, slice_sizes = array<i64: ${d.sizes.join(', ')}>`;
  const types = `(${typeText(x.dtype, x.shape)}, ${typeText(indices.dtype, indices.shape)}) -> ${typeText(x.dtype, shape)}`;
  return w.emit(
    `"stablehlo.gather"(${x.name}, ${indices.name}) <{${attributes}}> : ${types}`,
    x.dtype,
    shape,
  );
}

lowering('Gather', (o, w) => {
  const [x, indices] = [o.arg(0), o.arg(1)];
  const axis = o.axis('axis', x.shape.length, 0);
  const count = indices.shape.length;
  return gather(w, x, indices, o.out.shape, {
    offset: x.shape.flatMap((_, i) => (i < axis ? i : i === axis ? [] : i - 1 + count)),
    collapsed: [axis],
    map: [axis],
    vector: count,
    sizes: x.shape.map((n, i) => (i === axis ? 1 : n)),
  });
});

lowering('GatherND', (o, w) => {
  const [x, indices] = [o.arg(0), o.arg(1)];
  const last = indices.shape.length - 1;
  const depth = indices.shape[last];
  const leading = Array.from({ length: depth }, (_, i) => i);
  return gather(w, x, indices, o.out.shape, {
    offset: x.shape.slice(depth).map((_, i) => last + i),
    collapsed: leading,
    map: leading,
    vector: last,
    sizes: x.shape.map((n, i) => (i < depth ? 1 : n)),
  });
});

interface ScatterDimensions {
  window: readonly number[];
  inserted: readonly number[];
  vector: number;
}

/** `x` with updates added at indices; an index may come more than once. */
function scatterAdd(w: Writer, x: Named, indices: Named, updates: Named, d: ScatterDimensions): Named {
  const list = d.inserted.join(', ');
  const numbers = `update_window_dims = [${d.window.join(', ')}], inserted_window_dims = [${list}], scatter_dims_to_operand_dims = [${list}], index_vector_dim = ${d.vector}`;
  const attributes = `scatter_dimension_numbers = #stablehlo.scatter<${numbers}>, indices_are_sorted = false, unique_indices = false`;
  const element = typeText(x.dtype, []);
  const body = `({\n^bb0(%a: ${element}, %b: ${element}):\n %s = stablehlo.add %a, %b : ${element}\n stablehlo.return %s : ${element}\n})`;
  const [a, b, c] = [x, indices, updates].map(({ dtype, shape }) => typeText(dtype, shape));
  const operands = [x, indices, updates].map(({ name }) => name).join(', ');
  return w.emit(
    `"stablehlo.scatter"(${operands}) <{${attributes}}> ${body} : (${a}, ${b}, ${c}) -> ${a}`,
    x.dtype,
    x.shape,
  );
}

const onlySums = (op: string, reduction: string | undefined): void => {
  if (reduction !== 'add')
    throw new MtcpError('engine', `${op} without reduction "add" cannot be compiled for XLA`);
};

lowering('ScatterElements', (o, w) => {
  onlySums('ScatterElements', o.text('reduction'));
  const x = o.arg(0);
  if (x.shape.length !== 1)
    throw new MtcpError('engine', 'ScatterElements over several axes cannot be compiled for XLA');
  return scatterAdd(w, x, o.arg(1), o.arg(2), { window: [], inserted: [0], vector: 1 });
});

lowering('ScatterND', (o, w) => {
  onlySums('ScatterND', o.text('reduction'));
  const [x, indices] = [o.arg(0), o.arg(1)];
  const last = indices.shape.length - 1;
  const depth = indices.shape[last];
  return scatterAdd(w, x, indices, o.arg(2), {
    window: x.shape.slice(depth).map((_, i) => last + i),
    inserted: Array.from({ length: depth }, (_, i) => i),
    vector: last,
  });
});

lowering('OneHot', (o, w) => {
  const indices = o.arg(0);
  const { shape } = o.out;
  const axis = o.axis('axis', shape.length, -1);
  const given = w.broadcastInDim(
    indices,
    shape,
    indices.shape.map((_, i) => (i < axis ? i : i + 1)),
  );
  const isHit = w.compare('EQ', given, w.iota(axis, indices.dtype, shape));
  const values = o.inputs[2]!.constant;
  if (!values)
    throw new MtcpError('engine', 'OneHot with values that are computed cannot be compiled for XLA');
  const [off, on] =
    'splat' in values ? [values.splat, values.splat] : Array.from(values.data as ArrayLike<number>, Number);
  return w.select(isHit, w.fill(on, o.out.dtype, shape), w.fill(off, o.out.dtype, shape));
});
