// The recording engine: the function runs once on the recording backend, and a runtime (onnxruntime or XLA) runs the
// graph.
import * as tf from '../../registry/tf.js';
import { RECORDING, RecordingBackend, type WithoutGradient } from './backend.js';
import type { DeviceMemory } from './device-memory.js';
import type {
  CompileOptions,
  Engine,
  Program,
  ProgramStats,
  Tracer,
  VectorOptions,
  VectorProgram,
} from './engine.js';
import { Builder } from './graph/builder.js';
import { splatOf } from './graph/constants.js';
import { flopsOf } from './graph/cost.js';
import { peakBytesOf, writtenBytesOf } from './graph/lifetimes.js';
import { recompute } from './graph/recompute.js';
import { thrifty, type Target } from './graph/target.js';
import type { Graph, Value } from './graph/ir.js';
import './kernels/index.js';
import { packInputs, packOutputs } from './graph/packed.js';
import { unshaped } from './graph/views.js';
import { withoutRandomness } from './randomness.js';
import { createOrtRuntime, type OrtOptions } from './ort/runtime.js';
import type { Session } from './ort/session.js';
import type { Runtime, Translated } from './runtime.js';
import { RecordedProgram } from './recorded-program.js';
import { SharedVectors } from './vectors/program.js';

/** Number of sessions kept after their program was closed, for trials that record the same graph. */
const IDLE_SESSIONS = 4;

/**
 * Floating-point operations of an operator, on average over a graph, below which a second thread is not worth waking
 * for each of them. Threads then share the graph, not its operators (graph/tasks.ts). MT-CP at 96x128 (0.7 million) takes as long on two free cores as on one, with twice the work,
 * and twice as long where the second core is not free; at 192x256 (6 million) two threads gain a third.
 */
const SMALL_OPERATORS = 1e6;

export class RecordingEngine implements Engine {
  readonly description: string;
  readonly memory?: DeviceMemory;
  readonly devices: number;
  readonly #sessions = new Map<string, { session: Session; users: number }>();
  readonly #runtime: Runtime;

  /** @param options of onnxruntime, or another runtime */
  constructor(options: OrtOptions | { runtime: Runtime }) {
    this.#runtime = 'runtime' in options ? options.runtime : createOrtRuntime(options);
    this.description = this.#runtime.description;
    this.memory = this.#runtime.memory;
    this.devices = this.#runtime.devices ?? 1;
  }

  async compile(
    name: string,
    define: (tracer: Tracer) => tf.NamedTensorMap,
    options: CompileOptions = {},
  ): Promise<Program> {
    const started = performance.now();
    const { target } = this.#runtime;
    const { graph, outputs } = await record(define, { ...options, target });
    const { packing } = options;
    if (!packing) return this.#program(name, graph, outputs, new Map(), started, options);
    const build = new Builder(graph, target);
    const places = packing(outputs);
    const packed = packOutputs(build, places, packInputs(build, places, outputs));
    return this.#program(name, graph, packed, new Map(), started, options);
  }

  async compilePair(
    name: string,
    define: (tracer: Tracer) => readonly [tf.NamedTensorMap, tf.NamedTensorMap],
    options: CompileOptions = {},
  ): Promise<readonly [Program, Program]> {
    const started = performance.now();
    const { target } = this.#runtime;
    const { graph, outputs } = await record(
      (tracer) => {
        const [first, second] = define(tracer);
        return { ...prefixed('first/', first), ...prefixed('second/', second) };
      },
      { ...options, target },
    );
    const build = new Builder(graph, target);
    const places = options.packing?.(
      new Map([...withoutPrefix('first/', outputs), ...withoutPrefix('second/', outputs)]),
    );
    const read = places ? packInputs(build, places, outputs) : outputs;
    const [first, second] = ['first/', 'second/'].map((prefix) => {
      const own = withoutPrefix(prefix, read);
      return places ? packOutputs(build, places, own) : own;
    });
    const carried = carriedValues(graph, [...first.values()], [...second.values()]);
    for (const [value, carriedName] of carried) first.set(carriedName, value);
    const { tell, isBatched } = options;
    const own = { tell, isBatched };
    return [
      await this.#program(name, graph, first, new Map(), started, own),
      await this.#program(`${name}, second of two`, graph, second, carried, performance.now(), own),
    ];
  }

  async compileVectors(
    _name: string,
    define: (tracer: Tracer) => tf.NamedTensorMap,
    options: VectorOptions,
  ): Promise<VectorProgram | undefined> {
    const { vectorThreads } = this.#runtime;
    if (vectorThreads === undefined) return undefined;
    const started = performance.now();
    const { graph, outputs } = await record(define, { target: this.#runtime.target });
    const recordSeconds = (performance.now() - started) / 1000;
    return SharedVectors.create(graph, outputs, options, vectorThreads, recordSeconds);
  }

  async #program(
    name: string,
    graph: Graph,
    outputs: Map<string, Value>,
    given: ReadonlyMap<Value, string>,
    started: number,
    { inPlace, isBatched, tell }: CompileOptions = {},
  ): Promise<Program> {
    const computed = this.memory ? outputs : unshaped(outputs);
    const nodes = graph.reachable([...computed.values()], given);
    const peakBytes = peakBytesOf(nodes, computed.values());
    const flops = flopsOf(nodes);
    const small = flops / nodes.length < SMALL_OPERATORS;
    const translated = this.#runtime.translate(graph, computed, given, {
      peakBytes,
      small,
      inPlace,
      isBatched,
      tell: tell && ((what) => tell(`program ${name}: ${what}`)),
    });
    const recorded = performance.now();
    const { key } = translated;
    const session = await this.#session(translated);
    const stats: ProgramStats = {
      recordSeconds: (recorded - started) / 1000,
      sessionSeconds: (performance.now() - recorded) / 1000,
      nodes: nodes.length,
      bytes: translated.bytes,
      flops,
      peakBytes,
      writtenBytes: writtenBytesOf(nodes),
      parts: translated.parts,
    };
    return new RecordedProgram(
      name,
      graph,
      outputs,
      computed,
      given,
      session,
      stats,
      translated.lanes,
      () => this.#release(key),
      (outputs) =>
        this.#runtime.translate(graph, outputs, given, { peakBytes, small: false, isBatched }).create(),
    );
  }

  async #session({ key, create }: Translated): Promise<Session> {
    const known = this.#sessions.get(key);
    if (known) {
      known.users++;
      return known.session;
    }
    const session = await create();
    this.#sessions.set(key, { session, users: 1 });
    return session;
  }

  #release(key: string): void {
    const entry = this.#sessions.get(key);
    if (!entry) return;
    entry.users--;
    const idle = [...this.#sessions].filter(([, { users }]) => users === 0);
    for (const [oldest, { session }] of idle.slice(0, Math.max(0, idle.length - IDLE_SESSIONS))) {
      session.close();
      this.#sessions.delete(oldest);
    }
  }

  close(): void {
    for (const { session } of this.#sessions.values()) session.close();
    this.#sessions.clear();
    this.#runtime.close?.();
  }
}

/** The last recording. Recordings run one after the other, because TensorFlow.js has one active backend. */
let recorded: Promise<unknown> = Promise.resolve();

export interface Recording {
  graph: Graph;
  outputs: Map<string, Value>;
  /** Operations that were used and have no gradient, should one be needed. */
  withoutGradient: readonly WithoutGradient[];
}

/** Runs `define` on the recording backend; nothing is computed. */
export async function record(
  define: (tracer: Tracer) => tf.NamedTensorMap,
  { recomputedFrom = Infinity, target }: CompileOptions & { target?: Target } = {},
): Promise<Recording> {
  const device = target && thrifty(target, recomputedFrom);
  const mine = recorded.then(() => recordNow(define, device));
  recorded = mine.catch(() => {});
  const recording = await mine;
  if (recomputedFrom < Infinity && !device?.holdsWhole)
    recompute(recording.graph, [...recording.outputs.values()], recomputedFrom);
  return recording;
}

async function recordNow(
  define: (tracer: Tracer) => tf.NamedTensorMap,
  target: Target | undefined,
): Promise<Recording> {
  if (!tf.engine().registryFactory[RECORDING]) tf.registerBackend(RECORDING, () => new RecordingBackend());
  const before = tf.engine().backendName;
  await tf.setBackend(RECORDING);
  try {
    const backend = tf.engine().backend as RecordingBackend;
    backend.restart(target);
    const { graph } = backend;
    const inputs = new Map<string, tf.Tensor>();
    const tracer: Tracer = {
      input(name, dtype, shape) {
        let tensor = inputs.get(name);
        if (!tensor) inputs.set(name, (tensor = tf.keep(backend.input(name, dtype, shape))));
        return tensor;
      },
      label(path) {
        graph.label = path;
      },
      isZero: (tensor) => splatOf(backend.value(tensor)) === 0,
    };
    const outputs = new Map<string, Value>();
    tf.tidy(() => {
      const defined = withoutRandomness(() => define(tracer));
      for (const [name, tensor] of Object.entries(defined)) outputs.set(name, backend.value(tensor));
    });
    backend.throwRefused();
    for (const tensor of inputs.values()) tensor.dispose();
    return { graph, outputs, withoutGradient: backend.withoutGradient };
  } finally {
    if (before && before !== RECORDING) await tf.setBackend(before);
  }
}

/**
 * What the second program needs of what the first one computes: where its computation meets the first one's. Values
 * of types that no array of ours holds (bool, int64) are computed again.
 */
function carriedValues(graph: Graph, first: readonly Value[], second: readonly Value[]): Map<Value, string> {
  const done = new Set(graph.reachable(first));
  const carried = new Map<Value, string>();
  const seen = new Set<Value>();
  const stack = [...second];
  while (stack.length > 0) {
    const value = stack.pop()!;
    if (seen.has(value) || !value.node) continue;
    seen.add(value);
    if (done.has(value.node) && (value.dtype === 'float32' || value.dtype === 'int32'))
      carried.set(value, `carried/${carried.size}`);
    else for (const input of value.node.inputs) if (input) stack.push(input);
  }
  return carried;
}

const prefixed = (prefix: string, tensors: tf.NamedTensorMap): tf.NamedTensorMap =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [prefix + name, tensor]));

const withoutPrefix = (prefix: string, values: ReadonlyMap<string, Value>): Map<string, Value> =>
  new Map(
    [...values]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value]),
  );
