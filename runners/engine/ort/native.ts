// Sessions through onnxruntime's C API. All sessions of a process share one thread pool and one memory arena;
// otherwise the training, update and evaluation graphs would each have their own.
//
// Denormal numbers are kept. onnxruntime can flush them to zero on the threads of its pool, but not on the calling
// thread, which works as well, so that results would depend on which thread computed what.
import koffi from 'koffi';
import { MtcpError } from '../../../registry/errors.js';
import { sizeOf } from '../graph/ir.js';
import { ELEMENT_TYPE } from '../graph/onnx.js';
import { loadOrt, type Ort, type Pointer } from './library.js';
import { appendProvider, unusable } from './providers.js';
import type { Binding, BoundTensor, Session, SessionOptions } from './session.js';

const OPTIMIZE = { none: 0, basic: 1, extended: 2, all: 99 } as const;
/** What goes wrong comes back as an error; onnxruntime need not print it as well. */
const LOG_FATAL = 4;
/**
 * The arena takes memory in large pieces, of which only what is touched becomes resident: free neighbours inside a
 * piece join, and a fit that leaves more than a megabyte over is cut to size. Pieces of the size of each request never
 * join: a tenth more on large models.
 */
const ARENA = {
  arena_extend_strategy: 0,
  initial_chunk_size_bytes: 1 << 28,
  max_dead_bytes_per_chunk: 1 << 20,
};

interface Environment {
  env: Pointer;
  cpu: Pointer;
  threads: number;
}

let environment: Environment | undefined;

function openEnvironment(ort: Ort, threads: number): Environment {
  if (environment) return environment;
  const threading = ort.create('CreateThreadingOptions');
  ort.call('SetGlobalIntraOpNumThreads', threading, threads);
  ort.call('SetGlobalSpinControl', threading, 1);
  const env = ort.create('CreateEnvWithGlobalThreadPools', LOG_FATAL, 'mtcp', threading);
  const cpu = ort.create('CreateCpuMemoryInfo', 1, 0);
  const arena = ort.create(
    'CreateArenaCfgV2',
    Object.keys(ARENA),
    Object.values(ARENA),
    Object.keys(ARENA).length,
  );
  ort.call('CreateAndRegisterAllocator', env, cpu, arena);
  environment = { env, cpu, threads };
  return environment;
}

export async function createNativeSession(
  model: Uint8Array,
  options: SessionOptions,
): Promise<Session<BoundTensor>> {
  const ort = loadOrt();
  const { env, cpu } = openEnvironment(ort, options.threads);
  const settings = ort.create('CreateSessionOptions');
  ort.call('SetSessionGraphOptimizationLevel', settings, OPTIMIZE[options.optimize]);
  if (!options.alone) ort.call('DisablePerSessionThreads', settings);
  // The thread that calls, and no pool.
  else ort.call('SetIntraOpNumThreads', settings, 1);
  ort.call('DisableMemPattern', settings);
  ort.call('AddSessionConfigEntry', settings, 'session.use_env_allocators', '1');
  if (options.profile) ort.call('EnableProfiling', settings, options.profile);
  const provider = options.provider ?? 'cpu';
  let session: Pointer;
  try {
    appendProvider(ort, settings, provider);
    session = await ort
      .createAsync('CreateSessionFromArray', env, model, model.byteLength, settings)
      .catch((error: unknown) => {
        throw unusable(provider, error);
      });
  } finally {
    ort.release('SessionOptions', settings);
  }

  const tensorValue = (name: string, { data, dtype, shape }: BoundTensor): Pointer => {
    if (data.length !== sizeOf(shape))
      throw new MtcpError(
        'engine',
        `"${name}" wants ${shape.join('x')} numbers, its array has ${data.length}`,
      );
    const dimensions = BigInt64Array.from(shape, BigInt);
    return ort.create(
      'CreateTensorWithDataAsOrtValue',
      cpu,
      koffi.address(data),
      data.byteLength,
      dimensions,
      shape.length,
      ELEMENT_TYPE[dtype],
    );
  };

  return {
    bind: (inputs, outputs) =>
      provider === 'cpu'
        ? bindInPlace(ort, session, inputs, outputs, tensorValue)
        : bindAnew(ort, session, inputs, outputs, tensorValue),
    close() {
      if (options.profile) {
        const allocator = ort.create('GetAllocatorWithDefaultOptions');
        ort.create('SessionEndProfiling', session, allocator);
      }
      ort.release('Session', session);
      ort.trim();
    },
  };
}

type Tensors = ReadonlyMap<string, BoundTensor>;

/** A binding on the CPU, with the addresses that onnxruntime knows it and its session by. */
export interface NativeBinding extends Binding {
  readonly session: Pointer;
  readonly pointer: Pointer;
}

/** On the CPU a session reads and writes our arrays themselves. */
function bindInPlace(
  ort: Ort,
  session: Pointer,
  inputs: Tensors,
  outputs: Tensors,
  tensorValue: (name: string, tensor: BoundTensor) => Pointer,
): NativeBinding {
  const binding = ort.create('CreateIoBinding', session);
  // The C side keeps addresses, so the arrays must stay reachable as long as the binding does.
  const held: BoundTensor[] = [];
  const values: Pointer[] = [];
  for (const [name, tensors] of [
    ['BindInput', inputs],
    ['BindOutput', outputs],
  ] as const)
    for (const [key, tensor] of tensors) {
      const value = tensorValue(key, tensor);
      ort.call(name, binding, key, value);
      held.push(tensor);
      values.push(value);
    }
  return {
    session,
    pointer: binding,
    run: () => ort.callAsync('RunWithBinding', session, null, binding),
    close() {
      ort.release('IoBinding', binding);
      for (const value of values) ort.release('Value', value);
      held.length = 0;
    },
  };
}

/** Runs on a device wait for each other: not every provider can run on two threads at a time (WebGPU cannot). */
let deviceRuns: Promise<unknown> = Promise.resolve();

/**
 * A device has memory of its own. onnxruntime's binding would copy inputs there when they are bound, once and for all
 * runs; so every run is given its arrays again, and copies what they hold then.
 */
function bindAnew(
  ort: Ort,
  session: Pointer,
  inputs: Tensors,
  outputs: Tensors,
  tensorValue: (name: string, tensor: BoundTensor) => Pointer,
): Binding {
  const valuesOf = (tensors: Tensors) =>
    BigUint64Array.from([...tensors], ([key, tensor]) => tensorValue(key, tensor));
  const [given, made] = [valuesOf(inputs), valuesOf(outputs)];
  const [from, to] = [inputs, outputs].map((tensors) => [...tensors.keys()]);
  // The values know addresses of arrays, which must stay reachable until they are released.
  const held = new Set([inputs, outputs]);
  return {
    run() {
      const mine = deviceRuns.then(() =>
        ort.callAsync('Run', session, null, from, given, given.length, to, made.length, made),
      );
      deviceRuns = mine.catch(() => {});
      return mine;
    },
    close() {
      for (const value of [...given, ...made]) ort.release('Value', value);
      held.clear();
    },
  };
}
