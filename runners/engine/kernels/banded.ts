// Products with a constant banded matrix, for example for resizing along an axis. The matrix of a resize from 240 to
// 480 is 99 % zeros. So outputs are computed in blocks: each is a small product with the few inputs that it reads.
import { OPERATIONS } from '../../../registry/contracts/operations.js';
import { operation } from './register.js';

operation(OPERATIONS.BandedProduct, (build, { x }, { matrix, to }) => {
  const [outer, from, inner] = x.shape;
  const whole = (to * from) / PRODUCTS_FOR_A_COPY;
  const blocks = build.target.compiles ? undefined : cheapestBlocks(matrix, to, from);
  if (!blocks || (whole - blocks.cost) * outer * inner < WORTHWHILE)
    return build.matmul(build.graph.constant('float32', [1, to, from], { data: matrix }), x);
  const { size, starts, reach } = blocks;
  const count = starts.length;
  const bands = new Float32Array(count * size * reach);
  for (let i = 0; i < to; i++) {
    const first = i * from + starts[Math.floor(i / size)];
    bands.set(matrix.subarray(first, first + reach), i * reach);
  }
  const positions = starts.flatMap((start) => Array.from({ length: reach }, (_, k) => start + k));
  const read = build.reshape(build.gather(x, build.int64(positions), 1), [outer, count, reach, inner]);
  const weights = build.graph.constant('float32', [1, count, size, reach], { data: bands });
  return build.reshape(build.matmul(weights, read), [outer, to, inner]);
});

interface Blocks {
  /** Outputs of a block. */
  size: number;
  /** The first input that each block reads, */
  starts: number[];
  /** and how many. */
  reach: number;
  /** In copies of a number, for each column of x. */
  cost: number;
}

/** Multiply-adds of a matrix product in the time in which a number is copied. */
const PRODUCTS_FOR_A_COPY = 32;
/** Copies of a number that a further operator has to save. */
const WORTHWHILE = 1 << 16;
/** Beyond, blocks read little less than the whole. */
const LARGEST_BLOCK = 64;

function cheapestBlocks(matrix: Float32Array, to: number, from: number): Blocks | undefined {
  const bounds = Array.from({ length: to }, (_, i) => {
    const row = matrix.subarray(i * from, (i + 1) * from);
    return [row.findIndex((v) => v !== 0), row.findLastIndex((v) => v !== 0)];
  });
  let best: Blocks | undefined;
  for (let size = 2; size <= Math.min(LARGEST_BLOCK, to / 2); size++) {
    if (to % size !== 0) continue;
    const read = Array.from({ length: to / size }, (_, b) => {
      const own = bounds.slice(b * size, (b + 1) * size).filter(([first]) => first >= 0);
      const first = Math.min(from - 1, ...own.map(([low]) => low));
      return { first, reach: Math.max(1, ...own.map(([, high]) => high + 1 - first)) };
    });
    const reach = Math.max(...read.map((block) => block.reach));
    const cost = read.length * reach * (1 + size / PRODUCTS_FOR_A_COPY);
    if (best && best.cost <= cost) continue;
    best = { size, reach, cost, starts: read.map(({ first }) => Math.min(first, from - reach)) };
  }
  return best;
}
