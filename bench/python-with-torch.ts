// Finds a Python that has what the peers need, or makes one: a virtual environment in the cache folder.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { MtcpError } from '../registry/errors.js';

const ROOT = join(import.meta.dirname, '../..');
export const PEER = join(ROOT, 'bench/python/peer.py');
const REQUIREMENTS = join(ROOT, 'bench/python/requirements.txt');
const MODULES = ['torch', 'safetensors', 'numpy'];

/**
 * @param given of the argument --python; otherwise MTCP_PYTHON, python3 if it has torch, the cached environment
 * @param also what else it must import
 * @returns a Python that imports torch
 */
export function pythonWithTorch(
  given: string | undefined,
  report: (line: string) => void,
  also: readonly string[] = [],
): string {
  const modules = [...MODULES, ...also];
  const asked = given ?? process.env.MTCP_PYTHON;
  if (asked !== undefined) {
    if (imports(asked, modules)) return asked;
    throw new MtcpError('usage', `${asked} does not import all of ${modules.join(', ')}`, {
      where: given === undefined ? 'MTCP_PYTHON' : `argument "--python ${given}"`,
      hint: 'pip install -r bench/python/requirements.txt, or leave it out and mtcp makes an environment',
    });
  }
  return imports('python3', modules) ? 'python3' : cachedEnvironment(report, modules);
}

function imports(python: string, modules: readonly string[]): boolean {
  return spawnSync(python, ['-c', `import ${modules.join(', ')}`], { stdio: 'ignore' }).status === 0;
}

function cachedEnvironment(report: (line: string) => void, modules: readonly string[]): string {
  const { MTCP_CACHE, XDG_CACHE_HOME } = process.env;
  const cache = MTCP_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'mtcp');
  const wanted =
    readFileSync(REQUIREMENTS, 'utf8') + readFileSync(join(ROOT, 'test/reference/requirements.txt'));
  const folder = join(cache, `torch-${createHash('sha256').update(wanted).digest('hex').slice(0, 8)}`);
  const python = join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  if (existsSync(python) && imports(python, modules)) return python;
  report(`installing PyTorch into ${folder} (once, some hundred MB)`);
  mkdirSync(cache, { recursive: true });
  const steps = [
    ['python3', '-m', 'venv', '--clear', folder],
    [python, '-m', 'pip', 'install', '--quiet', '-r', REQUIREMENTS],
  ];
  for (const [command, ...args] of steps) {
    const { status, error } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    if (status === 0) continue;
    rmSync(folder, { recursive: true, force: true });
    throw new MtcpError('engine', `no Python with torch: "${command} ${args.join(' ')}" failed`, {
      hint: 'give one that has it: --python PATH, or set MTCP_PYTHON',
      cause: error,
    });
  }
  return python;
}
