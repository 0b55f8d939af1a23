// What a plugin for a GPU is told when its client is made, as JAX tells it. It takes three quarters of the GPU's memory at once,
// unless it hears otherwise: who shares a GPU says so by the environment variables that JAX has for these plugins.
import { MtcpError } from '../../../registry/errors.js';
import type { ClientOptions } from './client.js';
import { isForRocm, type FoundPlugin } from './plugin.js';

type Env = Readonly<Record<string, string | undefined>>;

/** The second is the older name. */
const FRACTION = ['XLA_CLIENT_MEM_FRACTION', 'XLA_PYTHON_CLIENT_MEM_FRACTION'];

/**
 * Options of a client on a GPU.
 * @param plugin one of those for GPUs
 * @throws MtcpError `usage` for a share of the memory that is none
 */
export function gpuOptions(plugin: FoundPlugin, env: Env = process.env): ClientOptions {
  const { XLA_PYTHON_CLIENT_PREALLOCATE: preallocate, XLA_PYTHON_CLIENT_ALLOCATOR: allocator } = env;
  const name = FRACTION.find((variable) => env[variable]);
  const fraction = Number(name && env[name]);
  if (name && !(fraction > 0))
    throw new MtcpError('usage', `"${env[name]}" is no share of a GPU's memory`, {
      where: name,
      hint: 'a number such as 0.5',
    });
  return {
    // By itself it may look for a GPU of NVIDIA's.
    ...(isForRocm(plugin) && { platform_name: 'ROCM' }),
    ...(preallocate && { preallocate: !/^(0|false)$/i.test(preallocate) }),
    ...(allocator && { allocator: allocator.toLowerCase() }),
    ...(name && { memory_fraction: { float: fraction } }),
  };
}
