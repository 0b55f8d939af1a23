// The plain engine: calls the function on an ordinary TensorFlow.js backend at every run. It is slow on `cpu`, where
// it is the reference for checking recorded graphs, and usable where a native backend is installed.
import { createRequire } from 'node:module';
import * as tf from '../../registry/tf.js';
import { MtcpError } from '../../registry/errors.js';
import {
  hostTensor,
  type Engine,
  type Program,
  type ProgramStats,
  type TensorSpec,
  type Tracer,
} from './engine.js';
import type { Binding, HostTensor } from './ort/session.js';
import { withoutRandomness } from './randomness.js';
import { prepareWasm } from './wasm.js';

export type EagerBackend = 'cpu' | 'wasm' | 'tensorflow';

/** Packages that bring a backend which TensorFlow.js itself does not contain, best first. */
const PACKAGES: Record<EagerBackend, string[]> = {
  cpu: [],
  wasm: ['@tensorflow/tfjs-backend-wasm'],
  tensorflow: ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'],
};

const HINTS: Record<EagerBackend, string> = {
  cpu: '',
  wasm: 'npm install @tensorflow/tfjs-backend-wasm',
  tensorflow:
    'npm install @tensorflow/tfjs-node (or tfjs-node-gpu); where its installer cannot download, scripts/build-tfjs-node.sh builds it from what npm and PyPI have',
};

export class EagerEngine implements Engine {
  readonly description: string;
  readonly devices = 1;

  private constructor(readonly backend: EagerBackend) {
    this.description = `tfjs ${backend}, eager`;
  }

  /** @param threads of `tensorflow`, which takes them when it is first loaded */
  static async create(backend: EagerBackend, threads?: number): Promise<EagerEngine> {
    await loadBackend(backend, threads);
    return new EagerEngine(backend);
  }

  async compile(_name: string, define: (tracer: Tracer) => tf.NamedTensorMap): Promise<Program> {
    await tf.setBackend(this.backend);
    const started = performance.now();
    const inputs = new Map<string, TensorSpec>();
    const outputs = new Map<string, TensorSpec>();
    run(
      define,
      (input, spec) => {
        inputs.set(input, spec);
        return hostTensor(spec);
      },
      (output, tensor) =>
        outputs.set(output, { dtype: tensor.dtype as TensorSpec['dtype'], shape: tensor.shape }),
    );
    const stats = {
      recordSeconds: (performance.now() - started) / 1000,
      sessionSeconds: 0,
      nodes: 0,
      bytes: 0,
      flops: 0,
      peakBytes: 0,
      writtenBytes: 0,
      parts: 1,
    };
    return new EagerProgram(this.backend, define, inputs, outputs, stats);
  }

  /** Nothing is carried over: the second program computes what the first did once more. */
  async compilePair(
    name: string,
    define: (tracer: Tracer) => readonly [tf.NamedTensorMap, tf.NamedTensorMap],
  ): Promise<readonly [Program, Program]> {
    const half = (index: 0 | 1) =>
      this.compile(name, (tracer) => {
        const outputs = define(tracer);
        tf.dispose(
          Object.values(outputs[1 - index]).filter((t) => !Object.values(outputs[index]).includes(t)),
        );
        return outputs[index];
      });
    return [await half(0), await half(1)];
  }

  close(): void {}
}

class EagerProgram implements Program {
  readonly lanes = 1;

  constructor(
    readonly backend: EagerBackend,
    readonly define: (tracer: Tracer) => tf.NamedTensorMap,
    readonly inputs: ReadonlyMap<string, TensorSpec>,
    readonly outputs: ReadonlyMap<string, TensorSpec>,
    readonly stats: ProgramStats,
  ) {}

  bind(tensors: (name: string, spec: TensorSpec) => HostTensor): Binding {
    const pick = (specs: ReadonlyMap<string, TensorSpec>) =>
      new Map([...specs].map(([name, spec]) => [name, tensors(name, spec)]));
    const [inputs, outputs] = [pick(this.inputs), pick(this.outputs)];
    return {
      run: async () => {
        await tf.setBackend(this.backend);
        run(
          this.define,
          (name) => inputs.get(name)!,
          (name, tensor) => outputs.get(name)!.data.set(tensor.dataSync()),
        );
      },
      close() {},
    };
  }

  async firstNonFinite(inputs: (name: string, spec: TensorSpec) => HostTensor): Promise<string | undefined> {
    for (const [name, spec] of this.inputs)
      if (!inputs(name, spec).data.every(Number.isFinite)) return `input "${name}"`;
    return 'the model (the eager engine cannot say where)';
  }

  close(): void {}
}

function run(
  define: (tracer: Tracer) => tf.NamedTensorMap,
  source: (name: string, spec: TensorSpec) => HostTensor,
  sink: (name: string, tensor: tf.Tensor) => void,
): void {
  tf.tidy(() => {
    const known = new Map<string, tf.Tensor>();
    const tracer: Tracer = {
      input(name, dtype, shape) {
        let tensor = known.get(name);
        if (!tensor)
          // Kept: it may first be asked for inside a tidy and is needed until the end.
          known.set(
            name,
            (tensor = tf.keep(tf.tensor(source(name, { dtype, shape }).data.slice(), [...shape], dtype))),
          );
        return tensor;
      },
      label() {},
      isZero: () => false,
    };
    const outputs = withoutRandomness(() => define(tracer));
    for (const [name, tensor] of Object.entries(outputs)) sink(name, tensor);
    // Outputs may have been kept to survive an inner tidy; one tensor may be several of them.
    tf.dispose([...new Set([...Object.values(outputs), ...known.values()])]);
  });
}

/**
 * Makes a backend known to TensorFlow.js.
 * @throws MtcpError `engine` if the package that brings it is not there or does not start, with the way to get it
 */
export async function loadBackend(backend: EagerBackend, threads?: number): Promise<void> {
  if (backend === 'tensorflow') prepareTensorflow(threads);
  const failures: string[] = [];
  for (const name of PACKAGES[backend]) {
    try {
      await import(name);
      failures.length = 0;
      break;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const missing = code === 'ERR_MODULE_NOT_FOUND' && message.includes(name);
      failures.push(`${name}: ${missing ? 'not installed' : message.trim().split('\n')[0]}`);
    }
  }
  if (failures.length > 0)
    throw new MtcpError('engine', `the engine "${backend}" needs a package (${failures.join('; ')})`, {
      hint: HINTS[backend],
    });
  if (backend === 'wasm') await prepareWasm();
  if (!(await tf.setBackend(backend)))
    throw new MtcpError('engine', `the tfjs backend "${backend}" does not start here`);
  // The cpu backend, which wasm borrows from, greets its first user with an advertisement.
  if (backend !== 'tensorflow')
    (tf.engine().findBackend('cpu') as unknown as { firstUse: boolean }).firstUse = false;
}

/** What tfjs-node asks of its surroundings before it is loaded. */
function prepareTensorflow(threads: number | undefined): void {
  // libtensorflow greets with lines about the CPU; warnings still come through.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  if (threads !== undefined) process.env.TF_NUM_INTRAOP_THREADS ??= String(threads);
  // It uses functions that Node.js 23 removed.
  const util = createRequire(import.meta.url)('node:util') as Record<string, unknown>;
  util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  util.isArray ??= Array.isArray;
}
