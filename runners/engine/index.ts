// The engine that a trial's `engine` section names.
import { MtcpError } from '../../registry/errors.js';
import { EagerEngine, type EagerBackend } from './eager.js';
import type { Engine } from './engine.js';
import { loadOrt } from './ort/library.js';
import { createNativeSession } from './ort/native.js';
import { createNodeSession } from './ort/node.js';
import type { Provider } from './ort/providers.js';
import { RecordingEngine } from './recording.js';
import type { Precision } from './xla/lowering/index.js';
import { isForCpu, pluginFor } from './xla/plugin.js';
import { createXlaRuntime } from './xla/runtime.js';

export { closeClients } from './xla/runtime.js';

export type EngineChoice =
  | { type: 'onnx'; provider: Provider }
  | { type: 'xla'; plugin: string | null; precision?: Precision; devices?: number | 'all' }
  | { type: EagerBackend };

/** The same on one device, for what has no batch to divide. */
export const onOneDevice = (choice: EngineChoice): EngineChoice =>
  choice.type === 'xla' ? { ...choice, devices: 1 } : choice;

export interface EngineOptions {
  /** Prefix of the file into which onnxruntime writes what the n-th program took, operator by operator. */
  profile?(program: number): string;
}

export async function createEngine(
  choice: EngineChoice,
  threads: number,
  { profile }: EngineOptions = {},
): Promise<Engine> {
  if (choice.type === 'xla')
    return new RecordingEngine({
      runtime: createXlaRuntime(choice.plugin ?? undefined, choice.precision, choice.devices),
    });
  if (choice.type !== 'onnx') return EagerEngine.create(choice.type, threads);
  const create = canLoadLibrary() ? createNativeSession : createNodeSession;
  let programs = 0;
  // The recorded graph is already simplified: onnxruntime's optimiser finds little in it and takes long over it.
  return new RecordingEngine({
    threads,
    optimize: 'none',
    provider: choice.provider,
    sharedMemory: create === createNativeSession,
    createSession: profile
      ? (model, options) => create(model, { ...options, profile: profile(programs++) })
      : create,
  });
}

/**
 * Whether an engine takes a GPU or TPU for itself. A plugin reserves most of its memory at once, so that a second process
 * there has none.
 */
export function takesDevice(choice: EngineChoice, env?: Parameters<typeof pluginFor>[1]): boolean {
  if (choice.type === 'onnx') return choice.provider !== 'cpu';
  if (choice.type !== 'xla') return false;
  try {
    return !isForCpu(pluginFor(choice.plugin ?? undefined, env));
  } catch (error) {
    // Without a plugin no trial runs, and each says so.
    if (!MtcpError.is(error, 'engine')) throw error;
    return true;
  }
}

function canLoadLibrary(): boolean {
  try {
    loadOrt();
    return true;
  } catch (error) {
    if (MtcpError.is(error, 'engine')) return false;
    throw error;
  }
}
