// Python with torch and transformers, for tests that compare with them at full size: a virtual environment that is
// made when it is first wanted and kept in .cache/ until the requirements change.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../../..');
const REFERENCE = join(ROOT, 'test/reference');
const REQUIREMENTS = join(REFERENCE, 'requirements.txt');

/** The interpreter: that of MTCP_PYTHON, which has the packages already, or of the cached environment. */
function interpreter(): string {
  if (process.env.MTCP_PYTHON) return process.env.MTCP_PYTHON;
  const digest = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 12);
  const folder = join(ROOT, '.cache', `python-${digest}`);
  if (!existsSync(folder)) {
    const partial = `${folder}.partial`;
    rmSync(partial, { recursive: true, force: true });
    execFileSync('python3', ['-m', 'venv', partial], { stdio: 'inherit' });
    execFileSync(
      join(partial, 'bin/python'),
      ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', REQUIREMENTS],
      { stdio: 'inherit' },
    );
    // Only `bin/pip` and its like know where they were made; the interpreter itself may move.
    renameSync(partial, folder);
  }
  return join(folder, 'bin/python');
}

/** Runs test/full/python/<script>; the reference's package can be imported. */
export function runPython(script: string, args: readonly string[]): void {
  execFileSync(interpreter(), [join(ROOT, 'test/full/python', script), ...args], {
    env: { ...process.env, PYTHONPATH: REFERENCE, HF_HUB_OFFLINE: '1', TRANSFORMERS_VERBOSITY: 'error' },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

/** The path of a script or other file of the repository. */
export const inRepository = (path: string): string => join(ROOT, path);
