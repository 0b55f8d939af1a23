// How an operator of a recorded graph becomes StableHLO. Each file of this folder registers the operators of its group.
import type { Attribute, Node, Shape, Value } from '../../graph/ir.js';
import type { Named, Writer } from './writer.js';

/** An operator under translation: its operands by number, its attributes by name. */
export class Operator {
  readonly inputs: readonly (Value | null)[];
  readonly out: Value;

  constructor(
    readonly node: Node,
    readonly writer: Writer,
  ) {
    this.inputs = node.inputs;
    this.out = node.outputs[0];
  }

  arg(i: number): Named {
    return this.writer.of(this.inputs[i]!);
  }

  /** An operand at the shape of the result, or at another. */
  wide(i: number, shape: Shape = this.out.shape): Named {
    return this.writer.expand(this.arg(i), shape);
  }

  has(i: number): boolean {
    return Boolean(this.inputs[i]);
  }

  #attribute(name: string): Attribute | undefined {
    return this.node.attributes[name];
  }

  int(name: string, fallback = 0): number {
    const found = this.#attribute(name);
    return found && 'int' in found ? found.int : fallback;
  }

  float(name: string, fallback = 0): number {
    const found = this.#attribute(name);
    return found && 'float' in found ? found.float : fallback;
  }

  ints(name: string): readonly number[] {
    const found = this.#attribute(name);
    return found && 'ints' in found ? found.ints : [];
  }

  text(name: string): string | undefined {
    const found = this.#attribute(name);
    return found && 'string' in found ? found.string : undefined;
  }

  /** An axis of a rank, counted from its end if negative. */
  axis(name: string, rank: number, fallback: number): number {
    const axis = this.int(name, fallback);
    return axis < 0 ? axis + rank : axis;
  }
}

/** Returns the result of the first output, or defines every output itself. */
export type Lowering = (op: Operator, writer: Writer) => Named | undefined;

export const LOWERINGS = new Map<string, Lowering>();

export function lowering(names: string | readonly string[], lower: Lowering): void {
  for (const name of [names].flat()) LOWERINGS.set(name, lower);
}
