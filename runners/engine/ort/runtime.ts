// onnxruntime as a runtime: graphs as ONNX models.
import { createHash } from 'node:crypto';
import { toOnnx } from '../graph/onnx.js';
import { TARGETS } from '../graph/target.js';
import type { Runtime } from '../runtime.js';
import { createNativeSession } from './native.js';
import type { Session, SessionOptions } from './session.js';

export interface OrtOptions extends SessionOptions {
  /** How a session is made from a model; replaced in tests and where the C API cannot be loaded. */
  createSession?: (model: Uint8Array, options: SessionOptions) => Promise<Session>;
  /** Whether sessions work on arrays in memory that threads share; those of onnxruntime's Node binding refuse them. */
  sharedMemory?: boolean;
}

/** Bytes of values from which on memory counts for more than a few percent of time; see OnnxOptions. */
const LARGE = 250e6;

export function createOrtRuntime({
  createSession = createNativeSession,
  sharedMemory = createSession === createNativeSession,
  ...options
}: OrtOptions): Runtime {
  const { provider, threads } = options;
  const onDevice = provider !== undefined && provider !== 'cpu';
  return {
    description: `onnxruntime${onDevice ? ` ${provider}` : ''}, ${threads} thread${threads === 1 ? '' : 's'}`,
    target: TARGETS[provider ?? 'cpu'],
    // Runs on a device go one after the other.
    lanes: onDevice ? 1 : threads,
    vectorThreads: sharedMemory ? threads : undefined,
    translate(graph, outputs, given, { peakBytes, small }) {
      const model = toOnnx(graph, outputs, given, { openShapes: peakBytes > LARGE });
      return {
        key: createHash('sha256').update(model).digest('hex'),
        bytes: model.byteLength,
        create: () => createSession(model, { ...options, alone: small && !onDevice }),
      };
    },
  };
}
