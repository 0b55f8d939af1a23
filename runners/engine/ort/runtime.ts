// onnxruntime as a runtime: graphs as ONNX models. A graph of small operators becomes several models where several
// threads may run it.
import { createHash } from 'node:crypto';
import type { Graph, Value } from '../graph/ir.js';
import { toOnnx } from '../graph/onnx.js';
import { partsOf } from '../graph/parts.js';
import { TARGETS } from '../graph/target.js';
import { tasksOf } from '../graph/tasks.js';
import type { Runtime, Translated } from '../runtime.js';
import { Lanes } from './lanes.js';
import { createNativeSession } from './native.js';
import { createParallelSession } from './parallel.js';
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
  // Parts of a graph are run through the C API.
  const inParts = !onDevice && threads > 1 && createSession === createNativeSession;
  let lanes: Lanes | undefined;

  const whole = (
    graph: Graph,
    outputs: Outputs,
    given: Given,
    small: boolean,
    openShapes: boolean,
  ): Translated => {
    const model = toOnnx(graph, outputs, given, { openShapes });
    return {
      key: hashOf([model]),
      bytes: model.byteLength,
      parts: 1,
      // Runs on a device go one after the other.
      lanes: small && !onDevice ? threads : 1,
      create: () => createSession(model, { ...options, alone: small && !onDevice }),
    };
  };

  return {
    description: `onnxruntime${onDevice ? ` ${provider}` : ''}, ${threads} thread${threads === 1 ? '' : 's'}`,
    target: TARGETS[provider ?? 'cpu'],
    vectorThreads: sharedMemory ? threads : undefined,
    translate(graph, outputs, given, { peakBytes, small }) {
      const openShapes = peakBytes > LARGE;
      const tasks = small && inParts ? tasksOf(graph.reachable([...outputs.values()], given), threads) : [];
      if (tasks.length < 2) return whole(graph, outputs, given, small, openShapes);
      const parts = partsOf(outputs, given, tasks);
      const models = parts.map((part) => toOnnx(graph, part.outputs, part.given, { openShapes }));
      return {
        key: hashOf(models),
        bytes: models.reduce((sum, { byteLength }) => sum + byteLength, 0),
        parts: parts.length,
        lanes: 1,
        create: () => createParallelSession(parts, models, options, (lanes ??= new Lanes(threads))),
      };
    },
    close() {
      lanes?.close();
      lanes = undefined;
    },
  };
}

type Outputs = ReadonlyMap<string, Value>;
type Given = ReadonlyMap<Value, string>;

function hashOf(models: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const model of models) hash.update(model);
  return hash.digest('hex');
}
