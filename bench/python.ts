// The Python that runs PyTorch's side. One that is there and has everything is used as it is. One that has torch but not
// everything gets the rest in an environment of its own in the cache folder, which sees the packages of the first: nothing
// is installed into a Python that others use. Without any torch, the environment holds everything.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { MtcpError } from '../registry/errors.js';

const ROOT = join(import.meta.dirname, '../..');
export const PEER = join(ROOT, 'bench/python/peer.py');
/** The second is part of the first. */
const REQUIREMENTS = ['bench/python/requirements.txt', 'test/reference/requirements.txt'].map((file) =>
  join(ROOT, file),
);
/** PyTorch without CUDA, a tenth of the size; where it cannot be reached, pip takes PyPI's. */
const CPU_INDEX = 'https://download.pytorch.org/whl/cpu';

/** What the peers import beside torch, and the package that brings it where that has another name. */
const MODULES: Record<string, string> = {
  numpy: 'numpy',
  safetensors: 'safetensors',
  transformers: 'transformers',
  timm: 'timm',
  torchvision: 'torchvision',
  cv2: 'opencv-python-headless',
  PIL: 'pillow',
};

/** Prints the version of torch, where its packages lie, and the modules that are absent, as JSON. */
const LOOK = `
import importlib.util, json, sys, sysconfig
find = importlib.util.find_spec
absent = [name for name in sys.argv[1:] if find(name) is None]
import torch
paths = sysconfig.get_paths()
print(json.dumps({"torch": torch.__version__, "absent": absent, "folders": sorted({paths["purelib"], paths["platlib"]})}))
`;

const OWN_FOLDER = 'import sysconfig; print(sysconfig.get_paths()["purelib"])';

interface Found {
  torch: string;
  absent: string[];
  folders: string[];
}

/** What the peers of MT-CP import beside torch. */
export const FOR_MTCP: readonly string[] = ['numpy', 'safetensors', 'transformers'];

/**
 * @param given of the argument --python; otherwise MTCP_PYTHON, or python3 if it has torch
 * @param modules that the peers import beside torch
 * @returns a Python that has all that the peers import, or one with torch if the rest cannot be installed beside it:
 *   then cases that need the rest fail by themselves, and others run
 * @throws MtcpError `usage` if a Python that was asked for has no torch, `engine` if there is no torch and it cannot be installed
 */
export function pythonWithTorch(
  given: string | undefined,
  report: (line: string) => void,
  modules: readonly string[] = Object.keys(MODULES),
): string {
  const asked = given ?? process.env.MTCP_PYTHON;
  const found = look(asked ?? 'python3', modules);
  if (asked !== undefined && !found)
    throw new MtcpError('usage', `${asked} does not import torch`, {
      where: given === undefined ? 'MTCP_PYTHON' : `argument "--python ${given}"`,
      hint: 'leave it out, and an environment with everything is made',
    });
  const base = asked ?? 'python3';
  if (found?.absent.length === 0) return base;
  if (!found) return complete(report);
  try {
    return extended(base, found, report);
  } catch (error) {
    if (!MtcpError.is(error)) throw error;
    report(`${base} is used without ${found.absent.join(', ')}: cases that need them fail`);
    return base;
  }
}

function look(python: string, modules: readonly string[] = Object.keys(MODULES)): Found | undefined {
  const { status, stdout } = spawnSync(python, ['-c', LOOK, ...modules], { encoding: 'utf8' });
  return status === 0 ? (JSON.parse(stdout) as Found) : undefined;
}

/** Folders in which a Python finds packages. */
export function packageFolders(python: string): string[] {
  const script = 'import json, sys; print(json.dumps([path for path in sys.path if path]))';
  const { status, stdout } = spawnSync(python, ['-c', script], { encoding: 'utf8' });
  return status === 0 ? (JSON.parse(stdout) as string[]) : [];
}

/** An environment with what `base` lacks; the version of torch stays. */
function extended(base: string, { torch, absent, folders }: Found, report: (line: string) => void): string {
  const packages = absent.map((module) => MODULES[module]);
  return environment(`extends-${digest([base, torch, ...folders, ...packages])}`, base, (python) => {
    report(`installing ${packages.join(', ')} for ${base} (once, into the cache folder)`);
    const own = spawnSync(python, ['-c', OWN_FOLDER], { encoding: 'utf8' }).stdout.trim();
    // Folders that a .pth file names are searched, too, by Python and by pip.
    writeFileSync(join(own, 'base.pth'), `${folders.join('\n')}\n`);
    const constraint = join(own, 'constraint.txt');
    writeFileSync(constraint, `torch==${torch}\n`);
    return ['--constraint', constraint, ...packages];
  });
}

/** An environment with torch and everything else, in the versions of the requirements. */
function complete(report: (line: string) => void): string {
  const wanted = REQUIREMENTS.map((file) => readFileSync(file, 'utf8'));
  return environment(`torch-${digest(wanted)}`, 'python3', (_, folder) => {
    report(`installing PyTorch and the peers' packages into ${folder} (once, some hundred MB)`);
    const index = process.platform === 'darwin' ? [] : ['--extra-index-url', CPU_INDEX];
    return [...index, '-r', REQUIREMENTS[0]];
  });
}

const digest = (parts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 8);

/** @param wanted arguments of `pip install` */
function environment(
  name: string,
  base: string,
  wanted: (python: string, folder: string) => readonly string[],
): string {
  const { MTCP_CACHE, XDG_CACHE_HOME } = process.env;
  const cache = MTCP_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'mtcp');
  const folder = join(cache, name);
  const python = join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  if (existsSync(python) && look(python)?.absent.length === 0) return python;
  mkdirSync(cache, { recursive: true });
  const run = (command: string, args: readonly string[]) => {
    const { status, error } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    if (status === 0) return;
    rmSync(folder, { recursive: true, force: true });
    throw new MtcpError('engine', `no Python for the peers: "${command} ${args.join(' ')}" failed`, {
      hint: 'give one that has torch and the rest: --python PATH, or set MTCP_PYTHON',
      cause: error,
    });
  };
  run(base, ['-m', 'venv', '--clear', folder]);
  run(python, ['-m', 'pip', 'install', '--quiet', ...wanted(python, folder)]);
  const { absent = Object.keys(MODULES) } = look(python) ?? {};
  if (absent.length > 0)
    throw new MtcpError('engine', `${python} still lacks ${absent.join(', ')} after the installation`);
  return python;
}
