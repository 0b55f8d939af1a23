// mtcp engine install: installs a PJRT plugin for the xla engine into a Python environment in the cache. The plugin
// is a shared library that is distributed as a Python package. Python is needed to install it, not to run it.
import { spawn } from 'node:child_process';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { MtcpError } from '../../registry/errors.js';
import { didYouMean } from '../../registry/support/near.js';
import { makeFolder } from '../../registry/support/make-folder.js';
import { engineCache, findPlugins, type FoundPlugin } from '../engine/xla/plugin.js';

interface Recipe {
  /** Pinned: a plugin of another version may speak another version of the interface. */
  packages: readonly string[];
  /** What it takes, for people. */
  takes: string;
}

/** NVIDIA's own libraries, in the versions that JAX 0.12 asks for. */
const NVIDIA_13 = [
  'nvidia-cublas>=13.0.0.19',
  'nvidia-cuda-cupti>=13.0.48',
  'nvidia-cuda-nvcc>=13.0.48',
  'nvidia-cuda-runtime>=13.0.48',
  'nvidia-cudnn-cu13>=9.12.0.46,<10.0',
  'nvidia-cufft>=12.0.0.15',
  'nvidia-cusolver>=12.0.3.29',
  'nvidia-cusparse>=12.6.2.49',
  'nvidia-nccl-cu13>=2.27.7',
  'nvidia-nvjitlink>=13.0.39',
  'nvidia-cuda-nvrtc>=13.0.48',
  'nvidia-nvshmem-cu13>=3.3.20',
  'nvidia-nvvm',
];

export const RECIPES: Readonly<Record<string, Recipe>> = {
  cpu: { packages: ['lammps-jax-pjrt-cpu==0.11.2'], takes: '63 MB to download, 220 MB on the disk' },
  cuda13: {
    packages: ['jax-cuda13-pjrt==0.12.0.1', ...NVIDIA_13],
    takes: "several gigabytes of NVIDIA's libraries, and a driver for CUDA 13",
  },
  rocm: { packages: ['jax-rocm7-pjrt==0.12.0'], takes: "AMD's ROCm 7 on this machine" },
  tpu: { packages: ['libtpu==0.0.52'], takes: 'a machine with a TPU' },
};

/**
 * @param name `xla:cpu`, `xla:cuda13`, `xla:rocm` or `xla:tpu`
 * @param tell hears what is being done
 * @throws MtcpError `usage` for another name, `io` if Python or its package index cannot be used
 */
export async function installEngine(name: string, tell: (what: string) => void): Promise<FoundPlugin> {
  const variant = name.startsWith('xla:') ? name.slice('xla:'.length) : name;
  const recipe = Object.hasOwn(RECIPES, variant) ? RECIPES[variant] : undefined;
  if (!recipe) {
    const names = Object.keys(RECIPES).map((known) => `xla:${known}`);
    throw new MtcpError('usage', `there is nothing to install for "${name}"`, {
      where: `argument "${name}"`,
      hint: didYouMean(name, names),
    });
  }
  const folder = join(engineCache(), `xla-${variant}`);
  const partial = `${folder}.partial`;
  tell(`xla:${variant} takes ${recipe.takes}`);
  try {
    rmSync(partial, { recursive: true, force: true });
    makeFolder(engineCache());
    tell('making a Python environment');
    await python(['-m', 'venv', partial]);
    tell(`installing ${recipe.packages.join(' ')}`);
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps'];
    await python([...pip, ...recipe.packages], join(partial, 'bin', 'python'));
    rmSync(folder, { recursive: true, force: true });
    renameSync(partial, folder);
  } finally {
    if (existsSync(partial)) rmSync(partial, { recursive: true, force: true });
  }
  const plugin = findPlugins().find((found) => found.variant === variant && found.path.startsWith(folder));
  if (plugin) return plugin;
  throw new MtcpError('io', 'the packages hold no plugin', {
    where: folder,
    hint: 'this machine may be of another kind than they are for',
  });
}

function python(args: readonly string[], program = 'python3'): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (part: Buffer) => (said = (said + part.toString()).slice(-4000)));
    child.on('error', () =>
      reject(
        new MtcpError('io', `${program} cannot be run`, {
          hint: 'Python 3 with the module venv installs plugins; or set MTCP_PJRT_PLUGIN to the path of one',
        }),
      ),
    );
    child.on('close', (code) => {
      if (code === 0) return resolve();
      const reason = said.trim().split('\n').at(-1) ?? '';
      reject(new MtcpError('io', `${program} ${args.slice(0, 3).join(' ')} failed: ${reason}`));
    });
  });
}
