// Tries one engine in a separate process, so that a library that crashes takes down only that process. Prints the
// result as one line of JSON.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '../../../registry/tf.js';
import { MtcpError } from '../../../registry/errors.js';
import { hostTensor, type Engine } from '../../engine/engine.js';
import { createEngine, type EngineChoice } from '../../engine/index.js';
import { placementOf } from '../../engine/ort/placement.js';
import type { HostTensor } from '../../engine/ort/session.js';
import { differenceOf, trialSteps, type TrialSteps } from './trial-steps.js';

export interface Probed {
  ok: boolean;
  /** The engine's own words, or what is wrong. */
  what: string;
  /** What to do about it. */
  hint?: string;
  /** Of a product of two square matrices, arrays in and out included. */
  gflops?: number;
  size?: number;
  /** Of engines that compute elsewhere than the default one: their training steps beside the default engine's. */
  training?: {
    /** The largest relative difference of a loss. */
    difference: number;
    seconds: number;
    /** Of a device: how many operators of the step ran on the CPU instead, and of which kinds. */
    onCpu?: { operators: number; of: number; kinds: string[] };
  };
}

/** Losses of two engines that differ by more are no rounding; GPUs round products to 10 bits by default. */
const TOLERANCE = 2e-2;

/** Matrices large enough for the engine to show what it can. */
const SIZES: Record<EngineChoice['type'], number> = {
  onnx: 2048,
  xla: 2048,
  tensorflow: 2048,
  wasm: 512,
  cpu: 192,
};
const SMALL = 128;
const SECONDS = 0.6;

export async function probe(choice: EngineChoice, threads: number): Promise<Probed> {
  let engine: Engine | undefined;
  try {
    engine = await createEngine(choice, threads);
    const { gflops, size } = await measureProducts(engine, SIZES[choice.type]);
    const training = isDefault(choice) || choice.type === 'cpu' ? undefined : await train(choice, threads);
    return { ok: true, what: engine.description, gflops, size, training };
  } catch (error) {
    const what = MtcpError.is(error) ? error.message : String((error as Error).stack ?? error);
    return { ok: false, what, hint: MtcpError.is(error) ? error.hint : undefined };
  } finally {
    engine?.close();
  }
}

/** Of large products, or of small ones where large ones would take long, as on a GPU that is imitated in software. */
async function measureProducts(engine: Engine, size: number): Promise<{ gflops: number; size: number }> {
  const gflops = await measure(engine, SMALL);
  if ((2 * size ** 3) / (gflops * 1e9) > SECONDS) return { gflops, size: SMALL };
  return { gflops: await measure(engine, size), size };
}

const isDefault = (choice: EngineChoice) => choice.type === 'onnx' && choice.provider === 'cpu';

/**
 * @param row of Table 3
 * @throws MtcpError `engine` if the engine's losses are not those of the default engine
 */
export async function train(
  choice: EngineChoice,
  threads: number,
  row?: string,
): Promise<NonNullable<Probed['training']>> {
  const onDevice = choice.type === 'onnx';
  const folder = mkdtempSync(join(tmpdir(), 'mtcp-doctor-'));
  // The first program is the gradient's.
  const prefix = (program: number) => join(folder, `program-${program}`);
  try {
    const reference = await createEngine({ type: 'onnx', provider: 'cpu' }, threads);
    const expected = await trialSteps(reference, row);
    reference.close();
    const began = performance.now();
    const engine = await createEngine(choice, threads, onDevice ? { profile: prefix } : {});
    const actual = await trialSteps(engine, row);
    engine.close();
    const seconds = (performance.now() - began) / 1000;
    const difference = differenceOf(expected, actual);
    if (!(difference <= TOLERANCE))
      throw new MtcpError(
        'engine',
        `training steps are wrong: ${describe(actual)} instead of ${describe(expected)}`,
        {
          hint: 'do not train with this engine here; `--engine onnx` computes on the CPU',
        },
      );
    const placement = onDevice ? placementOf(prefix(0)) : undefined;
    const onCpu = placement && {
      operators: [...placement.onCpu.values()].reduce((sum, n) => sum + n, 0),
      of: placement.operators,
      kinds: [...placement.onCpu.keys()],
    };
    return { difference, seconds, onCpu };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const describe = ({ losses }: TrialSteps): string =>
  `losses of ${losses.map((step) => step.map((loss) => loss.toPrecision(5)).join(', ')).join('; then ')}`;

/** Best of several products, which are checked; what goes in changes from one to the next. */
async function measure(engine: Engine, size: number): Promise<number> {
  const program = await engine.compile('probe', (tracer) => {
    const [a, b] = ['a', 'b'].map((name) => tracer.input(name, 'float32', [size, size]) as tf.Tensor2D);
    return { product: tf.matMul(a, b) };
  });
  const tensors = new Map<string, HostTensor>();
  const binding = program.bind((name, spec) => {
    const tensor = hostTensor(spec);
    // b is i in its column i: times a matrix of a's, so is the product, times a and the size.
    if (name === 'b') tensor.data.forEach((_, i) => (tensor.data[i] = i % size));
    tensors.set(name, tensor);
    return tensor;
  });
  let best = Infinity;
  const until = performance.now() + SECONDS * 1000;
  const { data } = tensors.get('product')!;
  for (let runs = 0; runs < 3 || performance.now() < until; runs++) {
    const a = 1 + (runs % 3);
    tensors.get('a')!.data.fill(a);
    const began = performance.now();
    await binding.run();
    best = Math.min(best, (performance.now() - began) / 1000);
    for (const i of [0, 1, size - 1, data.length - 1]) {
      const expected = a * (i % size) * size;
      if (Math.abs(data[i] - expected) > 1e-3 * a * size * size)
        throw new MtcpError('engine', `a product of matrices is wrong: ${data[i]} instead of ${expected}`);
    }
  }
  binding.close();
  program.close();
  return (2 * size ** 3) / best / 1e9;
}

if (process.argv[1] === import.meta.filename && process.argv[2]) {
  const { choice, threads } = JSON.parse(process.argv[2]) as { choice: EngineChoice; threads: number };
  process.stdout.write(`${JSON.stringify(await probe(choice, threads))}\n`);
}
