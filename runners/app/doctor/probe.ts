// Tries one engine in a process of its own: a library that crashes takes only this process with it. Prints what it
// found as one line of JSON.
import * as tf from '../../../registry/tf.js';
import { MtcpError } from '../../../registry/errors.js';
import { hostTensor, type Engine } from '../../engine/engine.js';
import { createEngine, type EngineChoice } from '../../engine/index.js';
import type { HostTensor } from '../../engine/ort/session.js';

export interface Probed {
  ok: boolean;
  /** The engine's own words, or what is wrong. */
  what: string;
  /** What to do about it. */
  hint?: string;
  /** Of a product of two square matrices, arrays in and out included. */
  gflops?: number;
  size?: number;
}

/** Matrices large enough for the engine to show what it can. */
const SIZES: Record<EngineChoice['type'], number> = { onnx: 2048, tensorflow: 2048, wasm: 512, cpu: 192 };
const SECONDS = 0.6;

export async function probe(choice: EngineChoice, threads: number): Promise<Probed> {
  const size = SIZES[choice.type];
  let engine: Engine | undefined;
  try {
    engine = await createEngine(choice, threads);
    const gflops = await measure(engine, size);
    return { ok: true, what: engine.description, gflops, size };
  } catch (error) {
    const what = MtcpError.is(error) ? error.message : String((error as Error).stack ?? error);
    return { ok: false, what, hint: MtcpError.is(error) ? error.hint : undefined };
  } finally {
    engine?.close();
  }
}

/** Best of several products, which are checked. */
async function measure(engine: Engine, size: number): Promise<number> {
  const program = await engine.compile('probe', (tracer) => {
    const [a, b] = ['a', 'b'].map((name) => tracer.input(name, 'float32', [size, size]) as tf.Tensor2D);
    return { product: tf.matMul(a, b) };
  });
  const tensors = new Map<string, HostTensor>();
  const binding = program.bind((name, spec) => {
    const tensor = hostTensor(spec);
    // a is 1 everywhere, b is i in its column i: so is the product, times the size.
    if (name === 'a') tensor.data.fill(1);
    if (name === 'b') tensor.data.forEach((_, i) => (tensor.data[i] = i % size));
    tensors.set(name, tensor);
    return tensor;
  });
  let best = Infinity;
  const until = performance.now() + SECONDS * 1000;
  for (let runs = 0; runs < 3 || performance.now() < until; runs++) {
    const began = performance.now();
    await binding.run();
    best = Math.min(best, (performance.now() - began) / 1000);
  }
  const { data } = tensors.get('product')!;
  for (const i of [0, 1, size - 1, data.length - 1])
    if (Math.abs(data[i] - (i % size) * size) > 1e-3 * size * size)
      throw new MtcpError(
        'engine',
        `a product of matrices is wrong: ${data[i]} instead of ${(i % size) * size}`,
      );
  binding.close();
  program.close();
  return (2 * size ** 3) / best / 1e9;
}

if (process.argv[1] === import.meta.filename && process.argv[2]) {
  const { choice, threads } = JSON.parse(process.argv[2]) as { choice: EngineChoice; threads: number };
  process.stdout.write(`${JSON.stringify(await probe(choice, threads))}\n`);
}
