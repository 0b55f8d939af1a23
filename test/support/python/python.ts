// A Python environment with the programs of requirements.txt, installed from PyPI into ~/.cache/mtcp once. Tests that need
// it are pending where PyPI cannot be reached.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pending } from '../pending.js';

const run = promisify(execFile);
const REQUIREMENTS = fileURLToPath(
  new URL('../../../../test/support/python/requirements.txt', import.meta.url),
);
/** Milliseconds after which a lock counts as left behind. */
const STALE = 900_000;

let made: Promise<string> | undefined;

/** For a `before` hook: the path of the Python. */
export async function readersPython(suite: Mocha.Context): Promise<string> {
  suite.timeout(STALE);
  made ??= install();
  try {
    return await made;
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    if (!/Could not find a version|No matching distribution|Connection|Max retries|ProxyError/.test(stderr))
      throw error;
    return pending(suite, 'PyPI cannot be reached');
  }
}

async function install(): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'mtcp');
  const digest = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 8);
  const folder = join(cache, `readers-${digest}`);
  const python = join(folder, 'bin', 'python');
  const ready = join(folder, 'ready');
  mkdirSync(cache, { recursive: true });
  const lock = `${folder}.lock`;
  for (;;) {
    if (existsSync(ready)) return python;
    try {
      mkdirSync(lock);
      break;
    } catch {
      if (Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > STALE)
        rmSync(lock, { recursive: true, force: true });
      await sleep(500);
    }
  }
  try {
    rmSync(folder, { recursive: true, force: true });
    await run('python3', ['-m', 'venv', folder]);
    await run(python, ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', '-r', REQUIREMENTS], {
      maxBuffer: 1e8,
    });
    writeFileSync(ready, '');
    return python;
  } finally {
    rmdirSync(lock);
  }
}

/** Runs a script and reads the JSON that it prints. */
export async function pythonJson<T>(
  python: string,
  script: string,
  args: readonly string[] = [],
): Promise<T> {
  const { stdout } = await run(python, ['-c', script, ...args], {
    maxBuffer: 1e8,
    env: { ...process.env, WANDB_MODE: 'offline', WANDB_SILENT: 'true' },
  });
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as T;
}
