// A graph in parts that run as programs of their own: which values each part computes, which it reads from others,
// and for which parts it has to wait. Where a reader wants a view of a value, the value is handed over and the reader
// declares it in the view's shape, which costs no operator.
import type { Node, Value } from './ir.js';
import { isView } from './lifetimes.js';
import type { Task } from './tasks.js';

/** Where a part finds the numbers of an input. */
export type Source =
  /** An input or an output of the whole, by name. */
  | { of: 'whole'; name: string }
  /** What another part computes. */
  | { of: 'part'; value: Value };

export interface PartInput {
  source: Source;
  /** Has the type, and the shape that it is read in. */
  value: Value;
}

export interface Part {
  /** What it computes, by name: outputs of the whole, and what other parts read. */
  outputs: ReadonlyMap<string, Value>;
  /** What it reads, by name. */
  inputs: ReadonlyMap<string, PartInput>;
  /** Values that the graph computes and this part reads instead, with their names; see toOnnx. */
  given: ReadonlyMap<Value, string>;
  /** Parts, by number, that have to be done first. */
  waits: readonly number[];
}

/** The name of a value that one part computes and others read. */
export const partName = ({ id }: Value): string => `part/${id}`;
const readName = ({ id }: Value): string => `read/${id}`;

/**
 * @param outputs of the whole, by name
 * @param given values that the whole gets from outside although the graph computes them, with their names
 * @param tasks the nodes that the outputs depend on, without views
 */
export function partsOf(
  outputs: ReadonlyMap<string, Value>,
  given: ReadonlyMap<Value, string>,
  tasks: readonly Task[],
): Part[] {
  return new Division(outputs, given, tasks).parts();
}

class Division {
  readonly #taskOf = new Map<Node, number>();
  /** Outputs of each part. */
  readonly #outputs: Map<string, Value>[];
  /** The name of an output of the whole that has the very numbers of a value. */
  readonly #named = new Map<Value, string>();

  constructor(
    outputs: ReadonlyMap<string, Value>,
    readonly given: ReadonlyMap<Value, string>,
    readonly tasks: readonly Task[],
  ) {
    tasks.forEach((task, t) => task.forEach((node) => this.#taskOf.set(node, t)));
    this.#outputs = tasks.map(() => new Map<string, Value>());
    for (const [name, value] of outputs) {
      const task = this.#placeOf(value);
      // What nobody computes is copied by the first part.
      this.#outputs[task ?? 0].set(name, value);
      if (task !== undefined && this.#storageOf(value) === value) this.#named.set(value, name);
    }
  }

  parts(): Part[] {
    const parts = this.tasks.map((task, t) => this.#reads(task, t));
    // By now it is known what is read of each part.
    return parts.map((part, t) => ({ ...part, outputs: this.#outputs[t] }));
  }

  #reads(task: Task, t: number): Omit<Part, 'outputs'> {
    const inputs = new Map<string, PartInput>();
    const names = new Map<Value, string>();
    const waits = new Set<number>();
    const read = [...task.flatMap((node) => node.inputs), ...this.#outputs[t].values()];
    for (const value of new Set(read)) {
      const storage = value && this.#storageOf(value);
      if (!storage || storage.constant) continue;
      const place = this.#placeOf(storage);
      if (place === t) continue;
      if (place !== undefined) waits.add(place);
      const source = place === undefined ? this.#outside(storage) : this.#handedOver(storage, place);
      // An input of the whole keeps its name unless it is a view that is read.
      const name = value.input ?? readName(value);
      if (!value.input) names.set(value, name);
      inputs.set(name, { source, value });
    }
    return { inputs, given: names, waits: [...waits].sort((a, b) => a - b) };
  }

  #outside(storage: Value): Source {
    return { of: 'whole', name: this.given.get(storage) ?? storage.input! };
  }

  #handedOver(storage: Value, place: number): Source {
    const name = this.#named.get(storage);
    if (name !== undefined) return { of: 'whole', name };
    this.#outputs[place].set(partName(storage), storage);
    return { of: 'part', value: storage };
  }

  /** What a value is a view of. */
  #storageOf(value: Value): Value {
    let at = value;
    while (at.node && isView(at.node) && !this.given.has(at)) at = at.node.inputs[0]!;
    return at;
  }

  /** The task that computes the numbers of a value; undefined if they come from outside. */
  #placeOf(value: Value): number | undefined {
    const storage = this.#storageOf(value);
    return storage.node && !this.given.has(storage) ? this.#taskOf.get(storage.node)! : undefined;
  }
}
