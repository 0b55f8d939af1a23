// Finds PJRT plugins: the file that MTCP_PJRT_PLUGIN names, then what `mtcp engine install` put into the cache, then
// the active Python environment. A plugin is a shared library inside a Python package; Python itself does not run.
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { MtcpError } from '../../../registry/errors.js';

/** Variants by name: the packages that carry each, and the file in them. */
const VARIANTS: Readonly<Record<string, readonly RegExp[]>> = {
  cuda13: [/jax_plugins\/xla_cuda13\/xla_cuda_plugin\.so$/],
  cuda12: [/jax_plugins\/xla_cuda12\/xla_cuda_plugin\.so$/],
  rocm: [/jax_plugins\/xla_rocm\d*\/xla_rocm_plugin\.so$/],
  tpu: [/libtpu\/libtpu\.so$/],
  cpu: [/lammps_jax_pjrt_cpu\/pjrt_c_api_cpu_plugin\.so$/],
};

export const PLUGIN_VARIANTS: readonly string[] = Object.keys(VARIANTS);

export interface FoundPlugin {
  /** One of the variants, or `path` for a file that was named. */
  variant: string;
  path: string;
}

type Env = Readonly<Record<string, string | undefined>>;

/** Folder of environments that `mtcp engine install` makes. */
export const engineCache = (env: Env = process.env): string =>
  join(env.MTCP_CACHE ?? join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'mtcp'), 'engines');

/** Files of the devices' drivers: with one of them, there may be such a device. The second ones are those of Windows' Linux. */
const DRIVERS: Readonly<Record<string, readonly string[]>> = {
  cuda: ['/dev/nvidiactl', '/dev/dxg', '/dev/nvhost-ctrl', '/dev/nvgpu'],
  rocm: ['/dev/kfd', '/dev/dxg'],
  tpu: ['/dev/accel0', '/dev/vfio'],
};

/**
 * Every plugin on this machine: the one that is named, those whose device may be there, that of the CPU, others (which can
 * compile ahead).
 */
export function findPlugins(env: Env = process.env, exists = existsSync): FoundPlugin[] {
  const named = env.MTCP_PJRT_PLUGIN ? [{ variant: 'path', path: env.MTCP_PJRT_PLUGIN }] : [];
  const found = pluginsIn(packageFolders(env));
  const rank = ({ variant }: FoundPlugin): number => {
    if (variant === 'cpu') return 1;
    return DRIVERS[variant.replace(/\d+$/, '')].some((file) => exists(file)) ? 0 : 2;
  };
  const all = [...named, ...found.sort((a, b) => rank(a) - rank(b))];
  return all.filter(({ path }, i) => i === all.findIndex((other) => other.path === path));
}

/** @param folders where Python packages are installed (site-packages) */
export function pluginsIn(folders: readonly string[]): FoundPlugin[] {
  return folders.flatMap((packages) =>
    Object.entries(VARIANTS).flatMap(([variant, patterns]) =>
      libraries(packages)
        .filter((path) => patterns.some((pattern) => pattern.test(path)))
        .map((path) => ({ variant, path })),
    ),
  );
}

/** site-packages of the cache's environments and of the active one. */
function packageFolders(env: Env): string[] {
  const cache = engineCache(env);
  const environments = [
    ...(existsSync(cache)
      ? readdirSync(cache)
          .sort()
          .map((name) => join(cache, name))
      : []),
    ...[env.VIRTUAL_ENV, env.CONDA_PREFIX].flatMap((folder) => folder ?? []),
  ];
  return environments.flatMap((folder) => {
    const lib = join(folder, 'lib');
    if (!existsSync(lib)) return [];
    return readdirSync(lib)
      .filter((name) => /^python3\.\d+$/.test(name))
      .map((name) => join(lib, name, 'site-packages'));
  });
}

/** Shared libraries of the packages that may hold a plugin. */
function libraries(packages: string): string[] {
  const inside = (folder: string) =>
    existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  const folders = [
    ...inside(join(packages, 'jax_plugins')),
    ...['libtpu', 'lammps_jax_pjrt_cpu'].map((name) => join(packages, name)),
  ];
  return folders.flatMap(inside).filter((path) => basename(path).endsWith('.so'));
}

/**
 * The plugin of an engine's choice.
 * @param wanted a variant, the path of a library, or nothing for the first that is found
 * @throws MtcpError `engine` if there is none
 */
export function pluginFor(
  wanted: string | undefined,
  env: Env = process.env,
  exists = existsSync,
): FoundPlugin {
  if (wanted !== undefined && !Object.hasOwn(VARIANTS, wanted)) return { variant: 'path', path: wanted };
  const found = findPlugins(env, exists);
  const plugin = found.find(({ variant }) => wanted === undefined || variant === wanted);
  if (plugin) return plugin;
  throw new MtcpError(
    'engine',
    `there is no PJRT plugin${wanted === undefined ? '' : ` for ${wanted}`} on this machine`,
    {
      hint: `\`mtcp engine install xla:${wanted ?? 'cpu'}\` makes one available, or set MTCP_PJRT_PLUGIN to the path of one`,
    },
  );
}

const isFor = (variants: readonly string[], { variant, path }: FoundPlugin): boolean =>
  variants.some((name) => variant === name || VARIANTS[name].some((pattern) => pattern.test(path)));

/** Whether it computes on this machine's processor, which several processes can share. */
export const isForCpu = (plugin: FoundPlugin): boolean => isFor(['cpu'], plugin);

/** Whether it is one of those that JAX builds for GPUs. */
export const isForGpu = (plugin: FoundPlugin): boolean => isFor(['cuda13', 'cuda12', 'rocm'], plugin);

export const isForRocm = (plugin: FoundPlugin): boolean => isFor(['rocm'], plugin);

/**
 * NVIDIA's packages beside a plugin, with their versions. Compiled programs name kernels of cuDNN and cuBLAS by numbers
 * of their version.
 */
export function librariesBeside(plugin: string): string[] {
  const packages = join(plugin, '..', '..', '..');
  return existsSync(packages)
    ? readdirSync(packages)
        .filter((name) => /^nvidia[-_].*\.dist-info$/.test(name))
        .sort()
    : [];
}
