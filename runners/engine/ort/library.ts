// onnxruntime's C API, called directly through koffi. The shared library is the one inside the onnxruntime-node
// package; going around its JavaScript binding gives what training needs: inputs and outputs that stay where
// they are (IO binding), one thread pool for all sessions, and runs that do not block the event loop.
//
// The API is a table of function pointers that only ever grows at its end, so an index stays valid in every
// later version (onnxruntime_c_api.h, struct OrtApi).
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import koffi from 'koffi';
import { MtcpError } from '../../../registry/errors.js';
import { callOnThread, loadLibrary, type AsyncFunction } from '../../support/native-library.js';

const API_VERSION = 17;

/**
 * From 1.30 on, onnxruntime reports sessions and runs to its makers, through a database in the cache folder that it
 * writes at each run. Nobody asked for that. It reads this when it is loaded, by whichever binding.
 */
process.env.ORT_DISABLE_TELEMETRY ??= '1';

// The signatures of the functions we use; all return an OrtStatus pointer, 0 meaning success.
const SIGNATURES = {
  Run: [9, 'void *', 'void *', 'str *', 'void *', 'size_t', 'str *', 'size_t', 'void *'],
  CreateSessionFromArray: [8, 'void *', 'const void *', 'size_t', 'void *', '_Out_ void **'],
  CreateSessionOptions: [10, '_Out_ void **'],
  EnableProfiling: [14, 'void *', 'str'],
  DisableMemPattern: [17, 'void *'],
  SetSessionGraphOptimizationLevel: [23, 'void *', 'int'],
  SetIntraOpNumThreads: [24, 'void *', 'int'],
  CreateTensorWithDataAsOrtValue: [
    49,
    'void *',
    'void *',
    'size_t',
    'int64_t *',
    'size_t',
    'int',
    '_Out_ void **',
  ],
  CreateCpuMemoryInfo: [69, 'int', 'int', '_Out_ void **'],
  GetAllocatorWithDefaultOptions: [78, '_Out_ void **'],
  SessionEndProfiling: [110, 'void *', 'void *', '_Out_ void **'],
  CreateEnvWithGlobalThreadPools: [119, 'int', 'str', 'void *', '_Out_ void **'],
  DisablePerSessionThreads: [120, 'void *'],
  CreateThreadingOptions: [121, '_Out_ void **'],
  AddSessionConfigEntry: [130, 'void *', 'str', 'str'],
  RunWithBinding: [133, 'void *', 'void *', 'void *'],
  CreateIoBinding: [134, 'void *', '_Out_ void **'],
  BindInput: [136, 'void *', 'str', 'void *'],
  BindOutput: [137, 'void *', 'str', 'void *'],
  CreateAndRegisterAllocator: [144, 'void *', 'void *', 'void *'],
  SetGlobalIntraOpNumThreads: [147, 'void *', 'int'],
  SetGlobalSpinControl: [149, 'void *', 'int'],
  SessionOptionsAppendExecutionProvider_CUDA_V2: [204, 'void *', 'void *'],
  CreateCUDAProviderOptions: [205, '_Out_ void **'],
  UpdateCUDAProviderOptions: [206, 'void *', 'str *', 'str *', 'size_t'],
  SessionOptionsAppendExecutionProvider: [216, 'void *', 'str', 'str *', 'str *', 'size_t'],
  CreateArenaCfgV2: [164, 'str *', 'size_t *', 'size_t', '_Out_ void **'],
} as const;

const RELEASES = {
  Session: 95,
  Value: 96,
  SessionOptions: 100,
  IoBinding: 135,
  CUDAProviderOptions: 208,
} as const;

export type Pointer = bigint;
export type FunctionName = keyof typeof SIGNATURES;
type Call = (...args: unknown[]) => Pointer | null;

export interface Ort {
  /** Calls a function of the API; throws its message if it fails. */
  call(name: FunctionName, ...args: unknown[]): void;
  /** The same on a thread of its own. */
  callAsync(name: FunctionName, ...args: unknown[]): Promise<void>;
  /** Calls a function whose last parameter receives a new object. */
  create(name: FunctionName, ...args: unknown[]): Pointer;
  createAsync(name: FunctionName, ...args: unknown[]): Promise<Pointer>;
  release(kind: keyof typeof RELEASES, pointer: Pointer): void;
  /** Gives memory that was released back to the system, where the C library keeps it (glibc); else nothing. */
  trim(): void;
  readonly version: string;
}

let loaded: Ort | undefined;

/** Loads the library once per process. Throws an MtcpError of kind `engine` where it cannot be had. */
export function loadOrt(): Ort {
  return (loaded ??= open(libraryPath()));
}

const NAMES: Partial<Record<NodeJS.Platform, RegExp>> = {
  linux: /^libonnxruntime\.so(\.\d+)*$/,
  darwin: /^libonnxruntime(\.\d+)*\.dylib$/,
  win32: /^onnxruntime\.dll$/,
};

/** Where the library lies: in MTCP_ONNXRUNTIME if that is set, else in the package. */
export function libraryFolder(): string {
  const given = process.env.MTCP_ONNXRUNTIME;
  if (given) return given;
  const root = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  return join(root, 'bin', 'napi-v6', process.platform, process.arch);
}

function libraryPath(): string {
  const folder = libraryFolder();
  const name = existsSync(folder)
    ? readdirSync(folder).find((file) => NAMES[process.platform]?.test(file))
    : undefined;
  if (name) return join(folder, name);
  if (process.env.MTCP_ONNXRUNTIME)
    throw new MtcpError('engine', `MTCP_ONNXRUNTIME is ${folder}, and there is no libonnxruntime in it`);
  throw new MtcpError('engine', `onnxruntime has no library for ${process.platform} ${process.arch}`, {
    hint: 'use `engine: {type: cpu}` on this machine',
  });
}

/** A session is many small allocations; without this, a process grows by each network that it has trained. */
function trimmer(): () => void {
  try {
    const trim = loadLibrary('libc.so.6').func('malloc_trim', 'int', ['size_t']) as (keep: number) => number;
    return () => void trim(0);
  } catch {
    return () => {};
  }
}

function open(path: string): Ort {
  const base = loadLibrary(path).func('OrtGetApiBase', 'void *', [])() as Pointer;
  const entry = (table: Pointer, index: number) => koffi.decode(table, index * 8, 'void *') as Pointer;
  const bind = (pointer: Pointer, result: string, args: readonly string[]) =>
    koffi.decode(pointer, koffi.proto(result, [...args])) as unknown;
  const getApi = bind(entry(base, 0), 'void *', ['uint32_t']) as (version: number) => Pointer | null;
  const version = (bind(entry(base, 1), 'str', []) as () => string)();
  const api = getApi(API_VERSION);
  if (!api) throw new MtcpError('engine', `onnxruntime ${version} does not offer API version ${API_VERSION}`);

  const functions = Object.fromEntries(
    Object.entries(SIGNATURES).map(([name, [index, ...args]]) => [
      name,
      bind(entry(api, index), 'void *', args),
    ]),
  ) as Record<FunctionName, Call & AsyncFunction>;
  const releases = Object.fromEntries(
    Object.entries(RELEASES).map(([name, index]) => [name, bind(entry(api, index), 'void', ['void *'])]),
  ) as Record<keyof typeof RELEASES, (pointer: Pointer) => void>;
  const errorMessage = bind(entry(api, 2), 'str', ['void *']) as (status: Pointer) => string;
  const releaseStatus = bind(entry(api, 93), 'void', ['void *']) as (status: Pointer) => void;

  const check = (name: string, status: Pointer | null) => {
    if (!status) return;
    const message = errorMessage(status);
    releaseStatus(status);
    throw new MtcpError('engine', `onnxruntime ${name}: ${message}`);
  };
  const call: Ort['call'] = (name, ...args) => check(name, functions[name](...args));
  const callAsync: Ort['callAsync'] = async (name, ...args) =>
    check(name, (await callOnThread(functions[name], ...args)) as Pointer | null);
  const ort: Ort = {
    version,
    call,
    callAsync,
    create(name, ...args) {
      const out: [Pointer | null] = [null];
      call(name, ...args, out);
      return out[0]!;
    },
    async createAsync(name, ...args) {
      const out: [Pointer | null] = [null];
      await callAsync(name, ...args, out);
      return out[0]!;
    },
    release: (kind, pointer) => releases[kind](pointer),
    trim: trimmer(),
  };
  return ort;
}
