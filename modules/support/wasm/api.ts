// WebAssembly's interface to JavaScript, as far as mtcp uses it. TypeScript declares it among the types of browsers only.

/** Memory that threads share; it can be sent to a thread. */
export interface Memory {
  readonly buffer: SharedArrayBuffer;
}

/** Compiled code; it can be sent to a thread. */
export type Module = object;

interface WebAssembly {
  /** Sizes in pages of 64 KiB. */
  Memory: new (size: { initial: number; maximum: number; shared: true }) => Memory;
  Module: new (bytes: Uint8Array) => Module;
  Instance: new (
    module: Module,
    imports: { env: { memory: Memory } },
  ) => { exports: Record<string, unknown> };
}

export const { Memory, Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssembly })
  .WebAssembly;
