// An engine whose programs report what takes long while they are compiled.
import type { CompileOptions, Engine } from './engine.js';

export function telling(engine: Engine, tell: (what: string) => void): Engine {
  const withTell = (options?: CompileOptions): CompileOptions => ({ tell, ...options });
  return {
    description: engine.description,
    memory: engine.memory,
    devices: engine.devices,
    compile: (name, define, options) => engine.compile(name, define, withTell(options)),
    compilePair: (name, define, options) => engine.compilePair(name, define, withTell(options)),
    compileVectors: engine.compileVectors?.bind(engine),
    close: () => engine.close(),
  };
}
