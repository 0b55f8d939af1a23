// my-block: trains in jobs of a batch system. The batch system here is the background of this machine: a job is a shell
// that goes on when the command has returned.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import {
  component,
  defineOptions,
  options,
  type BatchLauncher,
  type Here,
  type JobRequest,
  type OptionsOf,
  type TaskName,
  type TaskState,
} from 'mtcp/registry';

/** What an experiment file may set; every option has a description and a default. */
const schema = defineOptions({
  nice: {
    type: 'integer',
    minimum: 0,
    maximum: 19,
    default: 10,
    description: 'How far others come first.',
  },
});

@component({
  kind: 'launcher',
  name: 'my-block',
  summary: 'Jobs in the background of this machine.',
  options: schema,
})
export class MyBlock implements BatchLauncher {
  readonly system = 'my-block';

  constructor(@options() private readonly options: OptionsOf<typeof schema>) {}

  /** One task does all. A real batch system runs as many side by side as it takes. */
  async divide(trials: number): Promise<{ tasks: number; each: number }> {
    return { tasks: 1, each: trials };
  }

  /** What a task is called it finds in its environment; see `here`. */
  script({ about, cwd, command, logs }: JobRequest): string {
    return `#!/bin/bash
${about.map((line) => `# ${line}`).join('\n')}
cd ${quote(cwd)}
export MY_JOB=$$
nice -n ${this.options.nice} ${command.map(quote).join(' ')} --task 0 > ${quote(logs)}/$$_0.log 2>&1
`;
  }

  submitCommand(script: string): string {
    return `nohup bash ${script} &`;
  }

  /** A job is known by its process; those that it comes after have to end first. */
  async submit(script: string, after: readonly string[]): Promise<string> {
    const waiting = after.map((job) => `while [ -e /proc/${job} ]; do sleep 1; done; `).join('');
    const child = spawn('bash', ['-c', `${waiting}. "$0"`, script], { detached: true, stdio: 'ignore' });
    child.unref();
    return String(child.pid);
  }

  /** A job that is not there any more is left out: it has ended. */
  async tasks(jobs: readonly string[]): Promise<TaskState[]> {
    const about = {
      task: 0,
      phase: 'running',
      word: 'RUNNING',
      reason: null,
      node: null,
      left: null,
    } as const;
    return jobs.filter((job) => existsSync(`/proc/${job}`)).map((job) => ({ job, ...about }));
  }

  /** Processes of the job save a checkpoint when they are told to end. */
  async cancel(tasks: readonly TaskName[]): Promise<void> {
    for (const { job } of tasks) if (existsSync(`/proc/${job}`)) process.kill(-Number(job), 'SIGTERM');
  }

  here({ MY_JOB: job }: Readonly<Record<string, string | undefined>>): Here | undefined {
    return job === undefined ? undefined : { job, task: 0, tags: { 'my-block': job } };
  }

  /** What mtcp knows of processes on this machine is enough here. */
  lives(): undefined {
    return undefined;
  }
}

/** A word of the shell. */
const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
