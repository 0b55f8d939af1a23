// A WebAssembly module of functions that work on one memory, which comes from outside so that several threads can share
// it. Functions are written with the expressions of instructions.ts; `toBytes` gives what WebAssembly.Module compiles.
import { Instance, Memory, Module } from './api.js';
import { unsigned, type Expression, type Statement, type Type } from './instructions.js';

const TYPE = { i32: 0x7f, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const satisfies Record<Type, number>;

/** A parameter or variable of a function. */
export class Local<T extends Type = Type> {
  constructor(
    readonly type: T,
    readonly index: number,
  ) {}

  get(): Expression<T> {
    return { type: this.type, bytes: [0x20, ...unsigned(this.index)] };
  }

  set(value: Expression<T>): Statement {
    return { bytes: [...value.bytes, 0x21, ...unsigned(this.index)] };
  }
}

/** Where the body of a function gets its variables from; they start at zero. */
export type Declare = <T extends Type>(type: T) => Local<T>;

type Locals<Types extends readonly Type[]> = { [I in keyof Types]: Local<Types[I]> };

interface Code {
  name: string;
  parameters: readonly Type[];
  result: Type | undefined;
  variables: readonly Type[];
  bytes: readonly number[];
}

export class WasmModule {
  readonly #functions: Code[] = [];

  /** @param pages of 64 KiB; the memory that is given must have exactly these, and be shared */
  constructor(readonly pages: number) {}

  /** Adds an exported function. The body's last element is what it returns, if that is an expression. */
  define<const Parameters extends readonly Type[]>(
    name: string,
    parameters: Parameters,
    body: (
      declare: Declare,
      ...parameters: Locals<Parameters>
    ) => readonly [...Statement[], Statement | Expression],
  ): void {
    const variables: Type[] = [];
    const declare: Declare = (type) => new Local(type, parameters.length + variables.push(type) - 1);
    const locals = parameters.map((type, i) => new Local(type, i)) as unknown as Locals<Parameters>;
    const parts = body(declare, ...locals);
    const last = parts.at(-1)!;
    this.#functions.push({
      name,
      parameters,
      result: 'type' in last ? last.type : undefined,
      variables,
      bytes: parts.flatMap(({ bytes }) => bytes),
    });
  }

  /** Compiles it for this thread, with a memory of its own. */
  instantiate(): { memory: Memory; exports: Record<string, unknown> } {
    const memory = new Memory({ initial: this.pages, maximum: this.pages, shared: true });
    const { exports } = new Instance(new Module(this.toBytes()), { env: { memory } });
    return { memory, exports };
  }

  /** Imports `env.memory`; exports every function under its name. */
  toBytes(): Uint8Array<ArrayBuffer> {
    const all = this.#functions;
    const types = all.map(({ parameters, result }) => [
      0x60,
      ...list(parameters.map((type) => [TYPE[type]])),
      ...list(result ? [[TYPE[result]]] : []),
    ]);
    const sharedLimits = [0x03, ...unsigned(this.pages), ...unsigned(this.pages)];
    const memory = [...text('env'), ...text('memory'), 0x02, ...sharedLimits];
    const bodies = all.map(({ variables, bytes }) => {
      const body = [...list(variables.map((type) => [1, TYPE[type]])), ...bytes, 0x0b];
      return [...unsigned(body.length), ...body];
    });
    return Uint8Array.from([
      ...Buffer.from('\0asm'),
      ...unsigned(1),
      0,
      0,
      0,
      ...section(1, types),
      ...section(2, [memory]),
      ...section(
        3,
        all.map((_, i) => unsigned(i)),
      ),
      ...section(
        7,
        all.map(({ name }, i) => [...text(name), 0x00, ...unsigned(i)]),
      ),
      ...section(10, bodies),
    ]);
  }
}

const list = (items: readonly (readonly number[])[]): number[] => [
  ...unsigned(items.length),
  ...items.flat(),
];
const text = (value: string): number[] => list([...Buffer.from(value)].map((byte) => [byte]));

function section(id: number, items: readonly (readonly number[])[]): number[] {
  const content = list(items);
  return [id, ...unsigned(content.length), ...content];
}
