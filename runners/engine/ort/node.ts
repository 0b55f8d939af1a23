// Sessions through onnxruntime's Node binding, for platforms where its library cannot be called directly. It works
// wherever the package does, but outputs are copied once more, and each session has its own threads.
import { createRequire } from 'node:module';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import type { HostTensor, Session, SessionOptions } from './session.js';

const OPTIMIZE = { none: 'disabled', basic: 'basic', extended: 'extended', all: 'all' } as const;

export async function createNodeSession(model: Uint8Array, options: SessionOptions): Promise<Session> {
  const ort = createRequire(import.meta.url)('onnxruntime-node') as typeof import('onnxruntime-node');
  const settings: InferenceSession.SessionOptions = {
    graphOptimizationLevel: OPTIMIZE[options.optimize],
    executionProviders: [...new Set([options.provider ?? 'cpu', 'cpu'])],
    intraOpNumThreads: options.alone ? 1 : options.threads,
    enableMemPattern: false,
    logSeverityLevel: 4,
    ...(options.profile && { enableProfiling: true, profileFilePrefix: options.profile }),
  };
  const session = await ort.InferenceSession.create(model, settings);
  const wrap = (tensors: ReadonlyMap<string, HostTensor>): Record<string, Tensor> =>
    Object.fromEntries(
      [...tensors].map(([name, { dtype, data, shape }]) => [
        name,
        dtype === 'float32'
          ? new ort.Tensor(dtype, data as Float32Array, shape)
          : new ort.Tensor(dtype, data as Int32Array, shape),
      ]),
    );
  return {
    bind(inputs, outputs) {
      const [feeds, fetches] = [wrap(inputs), wrap(outputs)];
      return {
        run: async () => void (await session.run(feeds, fetches)),
        close() {},
      };
    },
    close: () => void session.release(),
  };
}
