// What tests of the engine xla need: its CPU plugin, and engines of one or several devices on it.
import { RecordingEngine } from '../../../runners/engine/recording.js';
import { createXlaRuntime } from '../../../runners/engine/xla/runtime.js';
import { xlaPlugin } from '../oracle.js';
import { pending } from '../pending.js';

/** How to get what is missing. */
export const XLA_MISSING = 'test/support/xla/install.sh installs the plugin';

/** Marks the running test, or the suite of the running hook, as pending where there is no plugin. */
export function requireXla(context: Mocha.Context): void {
  if (!xlaPlugin) pending(context, XLA_MISSING);
}

/** Engines by the number of their devices, each made once. */
export function deviceEngines(): (devices: number) => RecordingEngine {
  const engines = new Map<number, RecordingEngine>();
  return (devices) => {
    let engine = engines.get(devices);
    if (!engine) {
      engine = new RecordingEngine({ runtime: createXlaRuntime(xlaPlugin, 'float32', devices) });
      engines.set(devices, engine);
    }
    return engine;
  };
}
