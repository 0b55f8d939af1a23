// Calls Slurm's command-line tools, which every cluster has.
import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { MtcpError } from '../../../registry/errors.js';

const run = promisify(execFile);
/** Lists of arrays with many tasks are long. */
const LONGEST = 256 * 1024 * 1024;
/** Milliseconds after which a controller counts as away. */
const PATIENCE = 60_000;
// Times in an order that sorts, whatever the user likes to see.
const environment = () => ({ ...process.env, SLURM_TIME_FORMAT: 'standard' });

export interface Said {
  stdout: string;
  stderr: string;
  code: number;
}

/** @throws MtcpError `usage` if this machine has no such command */
export async function slurm(command: string, args: readonly string[]): Promise<Said> {
  try {
    const said = await run(command, args, { env: environment(), maxBuffer: LONGEST, timeout: PATIENCE });
    return { ...said, code: 0 };
  } catch (error) {
    return failed(command, error);
  }
}

/** The same for those who cannot wait. */
export function slurmSync(command: string, args: readonly string[]): Said {
  try {
    const stdout = execFileSync(command, args, {
      env: environment(),
      encoding: 'utf8',
      maxBuffer: LONGEST,
      timeout: PATIENCE,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return { stdout, stderr: '', code: 0 };
  } catch (error) {
    return failed(command, error);
  }
}

function failed(command: string, error: unknown): Said {
  const { code, status, stdout, stderr } = error as {
    code?: string | number;
    status?: number;
    stdout?: string;
    stderr?: string;
  };
  if (code === 'ENOENT')
    throw new MtcpError('usage', `this machine has no Slurm: there is no command "${command}"`, {
      where: 'launcher slurm',
      hint: 'run it where sbatch works (a login node), or with --launcher local',
      cause: error,
    });
  const given = typeof code === 'number' ? code : (status ?? 1);
  return { stdout: stdout ?? '', stderr: stderr || (error as Error).message, code: given };
}

/** The part of an error message that says something: without the command's name and warnings before it. */
export function reasonIn({ stderr }: Said): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const errors = lines.filter((line) => /error/i.test(line));
  return (errors.length > 0 ? errors : lines)
    .map((line) => line.replace(/^\w+: (fatal: |error: )*/, ''))
    .join('; ');
}
