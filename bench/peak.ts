// The machine's limits: a large matrix product as fast as onnxruntime does it, and the speed of memory.
import type * as tf from '../registry/tf.js';
import { hostTensor, type Engine } from '../runners/engine/engine.js';
import { median } from './quantile.js';

const N = 1536;

/** GFLOP/s of the product of two 1536x1536 matrices, the median of several. */
export async function matmulPeak(engine: Engine): Promise<number> {
  const program = await engine.compile('peak', (tracer) => {
    const [a, b] = ['a', 'b'].map((name) => tracer.input(name, 'float32', [N, N]) as tf.Tensor2D);
    return { c: a.matMul(b) };
  });
  const binding = program.bind((_, spec) => {
    const tensor = hostTensor(spec);
    tensor.data.fill(0.5);
    return tensor;
  });
  const seconds: number[] = [];
  for (let i = 0; i < 12; i++) {
    const start = performance.now();
    await binding.run();
    if (i >= 2) seconds.push((performance.now() - start) / 1000);
  }
  binding.close();
  program.close();
  return program.stats.flops / median(seconds) / 1e9;
}

/** Numbers in each vector: far more than any cache holds. */
const LENGTH = 1 << 25;

/**
 * GB/s, the best of several, of sums of vectors that replace the first (b += a, c += a, d += a): four vectors read and three
 * written, as an update of weights by AdamW does it, with hardly any arithmetic. On all threads of the engine.
 */
export async function memoryPeak(engine: Engine): Promise<number> {
  const vectors = ['a', 'b', 'c', 'd'];
  const program = await engine.compileVectors?.(
    'memory',
    (tracer) => {
      const [a, ...rest] = vectors.map((name) => tracer.input(name, 'float32', [LENGTH]));
      return Object.fromEntries(rest.map((tensor, i) => [vectors[i + 1], tensor.add(a)]));
    },
    { length: LENGTH, vectors, scalars: [], parts: [0] },
  );
  if (!program) return NaN;
  for (const vector of program.vectors.values()) vector.fill(1);
  const seconds = Array.from({ length: 12 }, () => {
    const start = performance.now();
    program.run([{}]);
    return (performance.now() - start) / 1000;
  });
  program.close();
  return (7 * 4 * LENGTH) / Math.min(...seconds) / 1e9;
}
