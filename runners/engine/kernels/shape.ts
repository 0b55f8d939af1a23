// Operators that move data: reshape, transpose, slice, concatenate, gather, fill.
import * as tf from '../../../registry/tf.js';
import { int, sizeOf, type Value } from '../graph/ir.js';
import type { Builder } from '../graph/builder.js';
import { kernel, listOf } from './register.js';

kernel('Identity', (_, { x }) => x);
kernel('Reshape', (build, { x }, { shape }) =>
  build.reshape(x, tf.util.inferFromImplicitShape(shape, sizeOf(x.shape))),
);
kernel('ExpandDims', (build, { input }, { dim }) => {
  const axis = dim < 0 ? input.shape.length + dim + 1 : dim;
  return build.reshape(input, [...input.shape.slice(0, axis), 1, ...input.shape.slice(axis)]);
});
kernel('Transpose', (build, { x }, { perm }) => build.transpose(x, perm));
kernel('BroadcastTo', (build, { x }, { shape }) => build.expand(x, shape));
kernel('Tile', (build, { x }, { reps }) => {
  const shape = x.shape.map((n, axis) => n * reps[axis]);
  if (x.shape.every((n, axis) => n === 1 || reps[axis] === 1)) return build.expand(x, shape);
  return build.op('Tile', [x, build.int64(reps)], shape);
});

kernel('Concat', (build, inputs, { axis }) => {
  const parts = listOf(inputs);
  const at = tf.util.parseAxisParam(axis, [...parts[0].shape])[0];
  const filled = parts.filter((part) => sizeOf(part.shape) > 0);
  return build.concat(filled.length > 0 ? filled : parts.slice(0, 1), at);
});
kernel('Pack', (build, inputs, { axis }) => {
  const parts = listOf(inputs);
  const at = axis < 0 ? parts[0].shape.length + axis + 1 : axis;
  const widened = parts.map((part) =>
    build.reshape(part, [...part.shape.slice(0, at), 1, ...part.shape.slice(at)]),
  );
  return build.concat(widened, at);
});
kernel('Unpack', (build, { value }, { axis }) => {
  const at = axis < 0 ? value.shape.length + axis : axis;
  const shape = value.shape.filter((_, i) => i !== at);
  return build
    .split(value, Array<number>(value.shape[at]).fill(1), at)
    .map((part) => build.reshape(part, shape));
});
kernel('SplitV', (build, { x }, { numOrSizeSplits, axis }) => {
  const at = tf.util.parseAxisParam(axis, [...x.shape])[0];
  return build.split(
    x,
    tf.backend_util.prepareSplitSize({ shape: [...x.shape] } as tf.Tensor, numOrSizeSplits, at),
    at,
  );
});
kernel('Slice', (build, { x }, { begin, size }) => {
  const [start, extent] = tf.slice_util.parseSliceParams({ shape: [...x.shape] } as tf.Tensor, begin, size);
  return build.slice(
    x,
    start,
    start.map((b, axis) => b + extent[axis]),
  );
});
kernel(
  'StridedSlice',
  (build, { x }, { begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask }) => {
    const info = tf.slice_util.sliceInfo(
      [...x.shape],
      begin,
      end,
      strides,
      beginMask,
      endMask,
      ellipsisMask,
      newAxisMask,
      shrinkAxisMask,
    );
    return build.reshape(build.slice(x, info.begin, info.end, info.strides), info.finalShape);
  },
);
kernel('PadV2', (build, { x }, { paddings, constantValue }) => build.pad(x, paddings, constantValue));
kernel('Reverse', (build, { x }, { dims }) => {
  const axes = tf.util.parseAxisParam(dims, [...x.shape]);
  const last = axes.map((axis) => x.shape[axis] - 1);
  const beforeFirst = axes.map((axis) => -x.shape[axis] - 1);
  const inputs = [
    x,
    build.int64(last),
    build.int64(beforeFirst),
    build.int64(axes),
    build.int64(axes.map(() => -1)),
  ];
  return build.op('Slice', inputs, x.shape);
});

kernel('GatherV2', (build, { x, indices }, { axis, batchDims }) => {
  if (batchDims) throw new Error('gather with batch dimensions cannot be recorded');
  return build.gather(x, indices, tf.util.parseAxisParam(axis, [...x.shape])[0]);
});
kernel('GatherNd', (build, { params, indices }) => {
  const depth = indices.shape.at(-1)!;
  const shape = [...indices.shape.slice(0, -1), ...params.shape.slice(depth)];
  return build.op('GatherND', [params, build.cast(indices, 'int64')], shape);
});

/**
 * Rows added up by segment, the gradient of gather. As a product with the one-hot segment matrix: a scatter
 * with addition is a race between threads in onnxruntime.
 */
kernel('UnsortedSegmentSum', (build, { x, segmentIds }, { numSegments }) => {
  const rows = sizeOf(segmentIds.shape);
  const values = build.graph.constant('float32', [2], { data: Float32Array.of(0, 1) });
  const indices = build.cast(build.reshape(segmentIds, [rows]), 'int64');
  const inputs = [indices, build.int64([numSegments]), values];
  const onehot = build.op('OneHot', inputs, [rows, numSegments], { axis: int(-1) }, { dtype: 'float32' });
  const inner = x.shape.slice(segmentIds.shape.length);
  const flat = build.reshape(x, [rows, sizeOf(inner)]);
  return build.reshape(build.matmul(onehot, flat, { transA: true }), [numSegments, ...inner]);
});

kernel('Range', (build, _, { start, stop, step, dtype }) => {
  const count = Math.max(0, Math.ceil((stop - start) / step));
  return numbers(build, count, (i) => start + i * step, dtype);
});
kernel('LinSpace', (build, _, { start, stop, num }) =>
  numbers(build, num, (i) => (num === 1 ? start : start + (i * (stop - start)) / (num - 1)), 'float32'),
);
kernel('DepthToSpace', (build, { x }, { blockSize, dataFormat }) => {
  if (dataFormat !== 'NHWC') throw new Error(`depthToSpace of ${dataFormat} cannot be recorded`);
  const [batch, height, width, depth] = x.shape;
  const channels = depth / blockSize ** 2;
  const cells = build.reshape(x, [batch, height, width, blockSize, blockSize, channels]);
  const shape = [batch, height * blockSize, width * blockSize, channels];
  return build.reshape(build.transpose(cells, [0, 1, 3, 2, 4, 5]), shape);
});

kernel('Fill', (build, _, { shape, value, dtype }) =>
  build.splat(value, shape, dtype === 'int32' ? 'int32' : 'float32'),
);
kernel('ZerosLike', (build, { x }) => like(build, x, 0));
kernel('OnesLike', (build, { x }) => like(build, x, 1));

/** A vector that is known while recording. */
function numbers(
  build: Builder,
  length: number,
  f: (i: number) => number,
  dtype: 'float32' | 'int32',
): Value {
  const Typed = dtype === 'int32' ? Int32Array : Float32Array;
  return build.graph.constant(dtype, [length], { data: Typed.from(Array.from({ length }, (_, i) => f(i))) });
}

function like(build: Builder, x: Value, value: number): Value {
  return build.splat(value, x.shape, x.dtype);
}
