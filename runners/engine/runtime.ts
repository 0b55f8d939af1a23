// What runs recorded graphs: onnxruntime, or an XLA device. A runtime translates a graph into its own form; the
// recording engine does the rest, whichever it is.
import type { DeviceMemory } from './device-memory.js';
import type { IsBatched } from './engine.js';
import type { Graph, Value } from './graph/ir.js';
import type { Target } from './graph/target.js';
import type { Session } from './ort/session.js';

export interface Runtime {
  readonly description: string;
  /** How operations are lowered for it. */
  readonly target: Target;
  /** Of the device, if arrays can stay on it. Then every output has to have its own shape. */
  readonly memory?: DeviceMemory;
  /** That a batch is divided among; one if left out. */
  readonly devices?: number;
  /**
   * Threads for functions of vectors (vectors/program.ts), where runs read and write arrays in the memory of this process;
   * otherwise undefined, and the runtime computes those, too.
   */
  readonly vectorThreads?: number;
  /**
   * @param outputs by name
   * @param given values that come from outside although the graph computes them, with their names
   */
  translate(
    graph: Graph,
    outputs: ReadonlyMap<string, Value>,
    given: ReadonlyMap<Value, string>,
    hints: GraphHints,
  ): Translated;
  /** Frees what sessions share. */
  close?(): void;
}

export interface GraphHints {
  /** Bytes of the values that are alive at a time, at their most. */
  peakBytes: number;
  /** Whether operators are so small that one thread runs each of them as fast as several. */
  small: boolean;
  /** Outputs that may take the memory of an input. */
  inPlace?: ReadonlyMap<string, string>;
  isBatched?: IsBatched;
  /** Hears of compilation that takes long. */
  tell?: (what: string) => void;
}

export interface Translated {
  /** Equal for equal graphs. */
  readonly key: string;
  /** Of the runtime's form. */
  readonly bytes: number;
  /** Programs that the graph was cut into, to run at the same time. */
  readonly parts: number;
  /** Bindings that are worth running at the same time; 1 where a run takes all threads. */
  readonly lanes: number;
  create(): Promise<Session>;
}
