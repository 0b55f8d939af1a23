// The XLA runtime: one client of one plugin, graphs as StableHLO.
import { createHash } from 'node:crypto';
import { MtcpError } from '../../../registry/errors.js';
import { TARGETS } from '../graph/target.js';
import type { Runtime } from '../runtime.js';
import { PjrtApi } from './api.js';
import { PjrtClient, type ClientOptions } from './client.js';
import { gpuOptions } from './gpu-options.js';
import type { Precision } from './lowering/index.js';
import { XlaMemory } from './memory.js';
import { meshOf } from './mesh.js';
import { isForGpu, pluginFor, type FoundPlugin } from './plugin.js';
import { createXlaSession, lowerGraph } from './session.js';

/**
 * A process has one client of each plugin: devices are not shared between clients. It lives as long as the process and is
 * closed before the process ends, for its threads do not survive the library.
 */
const clients = new Map<string, PjrtClient>();
process.once('exit', () => closeClients());

/**
 * Gives devices back. Nothing that was made with the clients may be used any more: it would be looked for in memory that is
 * free.
 * @param plugin whose clients are meant, as its path; all if left out
 */
export function closeClients(plugin?: string): void {
  for (const [key, client] of clients) {
    if (plugin !== undefined && client.api.path !== plugin) continue;
    client.close();
    clients.delete(key);
  }
}

/** @throws MtcpError `engine` if there is no such plugin, or it cannot be used here */
export function openClient(plugin: string | undefined, options: ClientOptions = {}): PjrtClient {
  const found = pluginFor(plugin);
  const { path } = found;
  const key = JSON.stringify([path, options]);
  let client = clients.get(key);
  if (!client) clients.set(key, (client = isForGpu(found) ? onGpu(found, options) : onOther(path, options)));
  return client;
}

const onOther = (path: string, options: ClientOptions) => new PjrtClient(new PjrtApi(path), options);

/** The first call of the driver: what it says is seldom what is missing. */
function onGpu(plugin: FoundPlugin, options: ClientOptions): PjrtClient {
  const all = { ...gpuOptions(plugin), ...options };
  const api = new PjrtApi(plugin.path);
  try {
    return new PjrtClient(api, all);
  } catch (error) {
    if (!MtcpError.is(error, 'engine')) throw error;
    throw new MtcpError('engine', error.message, {
      where: error.where,
      hint: 'nvidia-smi (rocm-smi) shows whether there is a driver that works, a GPU, and a process that has its memory; `--engine onnx` and `--engine xla:cpu` compute on the CPU',
      cause: error,
    });
  }
}

/**
 * The client of a plugin that has so many devices. The plugin for CPUs has one, or as many as it is told to have.
 * @throws MtcpError `engine` if there are fewer
 */
function clientFor(plugin: string | undefined, devices: number | 'all'): PjrtClient {
  const client = openClient(plugin);
  if (devices === 'all' || devices <= client.devices.length) return client;
  if (client.platform === 'cpu') return openClient(plugin, { cpu_device_count: devices });
  throw new MtcpError(
    'engine',
    `engine.devices is ${devices}, and there ${client.devices.length === 1 ? 'is one device' : `are ${client.devices.length} devices`} (${client.deviceKind})`,
    { hint: '`devices: all` takes as many as there are' },
  );
}

/**
 * @param plugin a variant such as `cuda13`, the path of a library, or nothing for the first that is found
 * @param devices that a batch is divided among
 */
export function createXlaRuntime(
  plugin?: string,
  precision: Precision = 'float32',
  devices: number | 'all' = 1,
): Runtime {
  const client = clientFor(plugin, devices);
  const count = devices === 'all' ? client.devices.length : devices;
  const memory = new XlaMemory(client);
  const there = client.devices.length;
  const number = there === 1 ? '' : count === there ? `${count} devices, ` : `${count} of ${there} devices, `;
  return {
    description: `XLA on ${number}${client.deviceKind} (${client.platform})${precision === 'float32' ? '' : `, ${precision}`}`,
    target: TARGETS.xla,
    memory,
    devices: count,
    translate(graph, outputs, given, { inPlace, isBatched, tell }) {
      const mesh = meshOf(count, isBatched);
      const program = lowerGraph(graph, outputs, given, inPlace, precision, mesh);
      const hash = createHash('sha256').update(program.text);
      for (const { constant } of program.parameters)
        if (constant) hash.update(new Uint8Array(constant.buffer, constant.byteOffset, constant.byteLength));
      return {
        key: hash.digest('hex'),
        bytes: program.text.length,
        parts: 1,
        lanes: 1,
        create: () => createXlaSession(client, memory, program, tell),
      };
    },
    close: () => memory.close(),
  };
}
