// Slurm's commands as scripts that write down how they were called and print what a test has prepared.
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './rooms.js';

const COMMANDS = ['sbatch', 'squeue', 'sacct', 'scontrol', 'scancel'] as const;
type Command = (typeof COMMANDS)[number];

export class FakeSlurm {
  readonly folder = temporaryFolder();

  constructor() {
    for (const command of COMMANDS) {
      this.says(command, '');
      writeFileSync(
        join(this.folder, command),
        `#!/bin/bash
cd '${this.folder}'
printf '%s\\n' "$*" >> ${command}.calls
[ -f ${command}.script ] && source ./${command}.script
cat ${command}.err >&2
cat ${command}.out
exit $(cat ${command}.code)
`,
      );
      chmodSync(join(this.folder, command), 0o755);
    }
    // A number for each job.
    writeFileSync(join(this.folder, 'sbatch.script'), 'wc -l < sbatch.calls > sbatch.out\n');
  }

  says(command: Command, stdout: string, { stderr = '', code = 0 } = {}): void {
    const given = { out: stdout, err: stderr, code: `${code}` };
    for (const [name, text] of Object.entries(given))
      writeFileSync(join(this.folder, `${command}.${name}`), text);
  }

  /** sbatch takes no job. */
  refuses(reason: string): void {
    writeFileSync(join(this.folder, 'sbatch.script'), '');
    this.says('sbatch', '', { stderr: `sbatch: error: ${reason}\n`, code: 1 });
  }

  calls(command: Command): string[] {
    const path = join(this.folder, `${command}.calls`);
    return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [];
  }

  /** PATH with these commands first. */
  get path(): string {
    return `${this.folder}:${process.env.PATH}`;
  }

  /** While `work` runs, these are the commands of this process too. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const before = process.env.PATH;
    process.env.PATH = this.path;
    try {
      return await work();
    } finally {
      process.env.PATH = before;
    }
  }
}

/** Lines of squeue, from "JOB_TASK STATE" and more. */
export const squeueLines = (
  ...tasks: { name: string; word: string; reason?: string; node?: string; left?: string; restarts?: number }[]
): string =>
  tasks
    .map(({ name, word, reason = 'None', node = '', left = '9:00', restarts = 0 }) =>
      [...name.split('_'), word, reason, node, left, restarts].map((part) => `${part}|`).join(''),
    )
    .join('\n');
