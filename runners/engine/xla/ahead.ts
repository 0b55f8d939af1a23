// Compiles for a device that is not here: PJRT takes a description of it instead of a client. The result goes where the
// process on the other machine looks for it (compiled.ts), and tells beforehand how much memory a step takes there.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { MtcpError } from '../../../registry/errors.js';
import { didYouMean } from '../../../registry/support/near.js';
import { TARGETS } from '../graph/target.js';
import type { Runtime } from '../runtime.js';
import { PjrtApi } from './api.js';

import { CompiledPrograms } from './compiled.js';
import { memoryStatsOf, namedValues, programOf, serialized, type MemoryStats } from './forms.js';
import type { Precision } from './lowering/index.js';
import { XlaMemory } from './memory.js';
import { compileOptions } from './mesh.js';
import { pluginFor } from './plugin.js';
import { lowerGraph, untilDone } from './session.js';

interface NamedDevice {
  /** The plugin that compiles for it. */
  plugin: string;
  /** The same as the device calls itself. */
  kind: string;
  /** XLA's GpuTargetConfigProto as text: data sheet and CUDA's device properties. */
  config: string;
}

const H100: NamedDevice = {
  plugin: 'cuda13',
  kind: 'NVIDIA H100 80GB HBM3',
  config: `gpu_device_info {
  threads_per_block_limit: 1024
  threads_per_warp: 32
  shared_memory_per_block: 49152
  shared_memory_per_core: 233472
  threads_per_core_limit: 2048
  core_count: 132
  fpus_per_core: 128
  block_dim_limit_x: 2147483647
  block_dim_limit_y: 65535
  block_dim_limit_z: 65535
  memory_bandwidth: 3352320000000
  l2_cache_size: 52428800
  clock_rate_ghz: 1.98
  device_memory_size: 84942979072
  shared_memory_per_block_optin: 232448
  cuda_compute_capability { major: 9 }
  registers_per_core_limit: 65536
  registers_per_block_limit: 65536
}
platform_name: "CUDA"
dnn_version_info { major: 9 minor: 10 patch: 0 }
device_description_str: "NVIDIA H100 80GB HBM3"
`,
};

const DEVICES: Readonly<Record<string, NamedDevice>> = { h100: H100 };
export const AHEAD_DEVICES: readonly string[] = Object.keys(DEVICES);

/**
 * A runtime that compiles for the device and runs nothing.
 * @param seen hears what each program takes
 */
export function aheadRuntime(
  compiler: AheadCompiler,
  precision: Precision,
  seen: (program: AheadProgram) => void,
): Runtime {
  const refuse = (): never => {
    throw new MtcpError('engine', `programs for ${compiler.kind} do not run here`);
  };
  return {
    description: `XLA for ${compiler.kind}`,
    target: TARGETS.xla,
    memory: new XlaMemory({ moved: { up: 0, down: 0 }, upload: refuse }),
    translate(graph, outputs, given, { inPlace, tell }) {
      const { text, operations } = lowerGraph(graph, outputs, given, inPlace, precision);
      return {
        key: createHash('sha256').update(text).digest('hex'),
        bytes: text.length,
        parts: 1,
        lanes: 1,
        async create() {
          const began = performance.now();
          const work = compiler.compile(text);
          const compiled = await untilDone(work, (seconds) =>
            tell?.(`compiling for ${compiler.kind}, ${seconds} s so far`),
          );
          seen({ ...compiled, operations, seconds: (performance.now() - began) / 1000 });
          return { bind: () => ({ run: refuse, close() {} }), close() {} };
        },
      };
    },
  };
}

/**
 * @param wanted `h100`, or a file with a GpuTargetConfigProto as text
 * @throws MtcpError `usage` if it is neither
 */
function deviceOf(wanted: string): NamedDevice {
  if (Object.hasOwn(DEVICES, wanted)) return DEVICES[wanted];
  const fault = (message: string, hint?: string) =>
    new MtcpError('usage', message, { where: `--device ${wanted}`, hint });
  if (!existsSync(wanted))
    throw fault(
      `"${wanted}" is neither a device that mtcp knows nor a file with a target config of XLA`,
      didYouMean(wanted, AHEAD_DEVICES),
    );
  const config = readFileSync(wanted, 'utf8');
  const kind = /device_description_str:\s*"([^"]+)"/.exec(config)?.[1];
  if (!kind) throw fault('the file has no device_description_str: it is no GpuTargetConfigProto as text');
  return { plugin: 'cuda13', kind, config };
}

export interface AheadProgram {
  /** Whether it had been compiled before. */
  isKnown: boolean;
  /** What it takes on the device; undefined if it had been compiled before, or the plugin does not tell. */
  memory: MemoryStats | undefined;
  /** Operations of the StableHLO module. */
  operations: number;
  seconds: number;
}

export class AheadCompiler {
  readonly kind: string;
  readonly #api: PjrtApi;
  readonly #topology: bigint;
  readonly #path: string;

  /**
   * @param path of the plugin; by default the one that is found for the device
   * @throws MtcpError `usage` for an unknown device; `engine` if no plugin here compiles for it
   */
  constructor(
    device: string,
    readonly stored = new CompiledPrograms(),
    path?: string,
  ) {
    const { plugin, kind, config } = deviceOf(device);
    this.kind = kind;
    this.#path = pluginFor(path ?? plugin).path;
    this.#api = new PjrtApi(this.#path);
    const name = Buffer.from('1x1x1');
    const options = Object.entries({ target_config: config, topology: '1x1x1' });
    this.#topology = this.#api
      .call('TopologyDescription_Create', {
        topology_name: name,
        topology_name_size: name.length,
        create_options: namedValues(options),
        num_options: options.length,
      })
      .address('topology');
  }

  async compile(text: string): Promise<Pick<AheadProgram, 'isKnown' | 'memory'>> {
    const options = compileOptions();
    const about = { plugin: this.#path, version: this.#api.version, device: this.kind };
    const key = this.stored.keyOf(about, text, options);
    if (this.stored.read(key)) return { isKnown: true, memory: undefined };
    const args = await this.#api.callAsync('Compile', {
      topology: this.#topology,
      program: programOf(text),
      compile_options: options,
      compile_options_size: options.length,
    });
    const executable = args.address('executable');
    try {
      const memory = memoryStatsOf(this.#api, executable);
      this.stored.write(key, serialized(this.#api, executable));
      return { isKnown: false, memory };
    } finally {
      this.#api.call('Executable_Destroy', { executable });
    }
  }
}
