// The machine's speed limit: a large matrix product, as fast as onnxruntime does it here.
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
